#!/bin/bash
# install.sh LIST...: installs those packages of the files LIST.txt beside this script that are missing. Starts no daemon.
set -eu
HERE=$(dirname "$(readlink -f "$0")")
missing=()
for list; do
  while read -r package; do
    dpkg-query --show --showformat '${Status}' "$package" 2> /dev/null | grep -q 'ok installed' || missing+=("$package")
  done < <(grep -v '^#' "$HERE/$list.txt")
done
[ ${#missing[@]} -gt 0 ] || exit 0
[ "$(id -u)" = 0 ] || { echo "missing packages: ${missing[*]}; run me as root" >&2; exit 1; }
echo "installing ${#missing[@]} packages: ${missing[*]}"

# apt-get asks this program before it starts a service; 101 is "no".
readonly POLICY=/usr/sbin/policy-rc.d
if [ ! -e $POLICY ]; then
  trap 'rm -f $POLICY' EXIT
  printf '#!/bin/sh\nexit 101\n' > $POLICY
  chmod +x $POLICY
fi
export DEBIAN_FRONTEND=noninteractive
apt-get --quiet=2 update
apt-get --quiet --yes install --no-install-recommends "${missing[@]}" |
  awk '/^(Get:|Setting up)/ {n++; if (n % 20 == 0) print "  ... " $0; fflush()} /^E:/ {print}'
exit "${PIPESTATUS[0]}"
