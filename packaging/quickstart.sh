#!/bin/bash
# quickstart.sh [--plugins DIR]: see cnm work, on a bare Debian 12, as root, from a fresh clone.
#
# Installs what the build needs, builds, and then, on a private machine made of namespaces (nothing outside is touched):
# connects two namespaces to one bridge with the plugins just built, pings across, to the gateway and beyond it, shows
# the plugin's answer and where the time went, and takes all down again. --plugins DIR: skip the build, show DIR's.
set -eu
ROOT=$(readlink -f "$(dirname "$(readlink -f "$0")")/..")
readonly ROOT
readonly NETWORK=quickstart SUBNET=192.0.2.0/24 OUTSIDE=198.51.100.1

BOLD='' GREEN='' RED='' PLAIN=''
if [ -t 1 ]; then BOLD=$'\e[1m' GREEN=$'\e[32m' RED=$'\e[31m' PLAIN=$'\e[0m'; fi

say() { printf '\n%s%s%s\n' "$BOLD" "$*" "$PLAIN"; }
ok() { printf '  %sok%s  %-52s %s\n' "$GREEN" "$PLAIN" "$1" "${2:-}"; }
die() {
  printf '  %sfailed%s  %s\n' "$RED" "$PLAIN" "$*" >&2
  exit 1
}

# ---- 1 and 2: what only the first run has to do -----------------------------------------------------------------
install_packages() {
  say "1. What the build needs"
  "$ROOT/packaging/apt/install.sh" build quickstart
  ok "packages are installed" "$SECONDS s"
}

build() {
  local started=$SECONDS line shown=$SECONDS log=$ROOT/build/quickstart.log
  say "2. Build: preset release, into build/release/bin (the first time a quarter of an hour of one processor)"
  mkdir -p "$ROOT/build"
  cd "$ROOT"
  { cmake --preset release && cmake --build --preset release --target cnm-plugins cnmctl cnm-xtables cnm-firewalld; } 2>&1 | tee "$log" | while IFS= read -r line; do
    [[ $SECONDS -gt $((shown + 4)) && $line == \[* ]] || continue
    shown=$SECONDS
    echo "      ${line:0:90}"
  done
  [ "${PIPESTATUS[0]}" = 0 ] || { grep -A 5 -E 'error|FAILED' "$log" | head -n 40 >&2; die "the build; all of it: $log"; }
  ok "built" "$((SECONDS - started)) s"
}

# ---- 3: the demonstration, in namespaces of its own ----------------------------------------------------------------
demo_alone() {
  local dir made='' status=0
  for dir in /var/lib/cni /var/lib/cnm; do
    [ -d $dir ] || { mkdir -p $dir && made="$made $dir"; }
  done
  unshare --net --mount --pid --fork --kill-child --mount-proc --propagation private "$0" --demo "$1" || status=$?
  # shellcheck disable=SC2086
  [ -z "$made" ] || rmdir --ignore-fail-on-non-empty $made
  [ $status = 0 ] || exit $status
}

make_private_host() {
  local dir
  for dir in /run /var/lib/cni /var/lib/cnm; do mount -t tmpfs tmpfs $dir; done
  mkdir /run/netns
  ip link set lo up
  # "outside" stands for the rest of the world: it knows this host and has no route to any container.
  ip netns add outside
  ip link add uplink type veth peer name eth0 netns outside
  ip address add 198.51.100.254/24 dev uplink
  ip link set uplink up
  ip -n outside address add $OUTSIDE/24 dev eth0
  ip -n outside link set eth0 up
}

configuration() {
  cat << END
{
  "cniVersion": "1.0.0",
  "name": "$NETWORK",
  "type": "bridge",
  "bridge": "cnm0",
  "isGateway": true,
  "ipMasq": true,
  "ipam": {"type": "host-local", "subnet": "$SUBNET", "routes": [{"dst": "0.0.0.0/0"}]}
}
END
}

# call VERB NAME: one CNI call for the namespace NAME; answer in /run/NAME.json, milliseconds in $MS.
call() {
  local started=$EPOCHREALTIME ended
  CNI_COMMAND=$1 CNI_CONTAINERID=$2 CNI_NETNS=/run/netns/$2 CNI_IFNAME=eth0 \
    CNI_PATH=$PLUGINS "$PLUGINS/bridge" < /run/network.json > "/run/$2.json" || die "$1 of $2: $(cat "/run/$2.json")"
  ended=$EPOCHREALTIME
  MS=$(((${ended/./} - ${started/./}) / 100))
  MS="$((MS / 10)).$((MS % 10)) ms"
}

address_of() { jq -r '.ips[0].address | split("/")[0]' "/run/$1.json"; }

ping_from() {
  ip netns exec "$1" ping -q -c 1 -W 5 "$2" > /dev/null || die "ping from $1 to $2 ($3)"
  ok "$1 pings $2, $3"
}

# step_times: where the time of the last ADD went, by cnm's own flight recorder.
step_times() {
  "$PLUGINS/cnmctl" log --json | jq -rs --argjson meaning "$(step_meanings)" '
    flatten | map(select(.verb == "ADD" and .plugin == "bridge")) | last | .steps | to_entries[] |
    "\(.value)\t\(.key)\t\($meaning[.key] // "")"' |
    while IFS=$'\t' read -r us step meaning; do printf '  %7d µs  %-10s %s\n' "$us" "$step" "$meaning"; done
}

step_meanings() {
  cat << END
{
  "read": "the request is read and checked; nothing has changed yet",
  "journal": "what is about to be made is written down: a crash leaves nothing unknown",
  "addresses": "host-local reserves a free address",
  "firewall": "one nftables transaction: masquerade what leaves the subnet",
  "links": "bridge and veth pair, born with names, MACs and namespaces",
  "ready": "links, addresses, routes in place; the record says so",
  "print": "the answer goes to the runtime"
}
END
}

demonstrate() {
  PLUGINS=$1
  make_private_host
  say "3. Two namespaces, red and blue, join one bridge (CNI ADD)"
  configuration | tee /run/network.json
  local name
  for name in red blue; do
    ip netns add $name
    call ADD $name
    ok "ADD $name: $(address_of $name)" "$MS"
  done
  say "   What a container runtime gets as the answer for blue"
  jq . /run/blue.json
  if [ -x "$PLUGINS/cnmctl" ]; then
    say "   Where the time of the last ADD went (cnmctl log)"
    step_times
  fi

  say "4. Does it work?"
  ping_from red "$(address_of blue)" "blue on the same bridge"
  ping_from blue "$(address_of red)" "red on the same bridge"
  ping_from red "$(jq -r '.ips[0].gateway' /run/red.json)" "the gateway"
  ping_from red $OUTSIDE "outside, masqueraded"

  say "5. All down again (CNI DEL)"
  for name in red blue; do
    call DEL $name
    ok "DEL $name" "$MS"
    call DEL $name
    ok "DEL $name again: nothing to do is no error" "$MS"
  done
  expect_none "links of containers" "$(ip -o link show type veth | grep -v uplink || true)"
  expect_none "leases" "$(find /var/lib/cni/networks/$NETWORK -type f -name '[0-9]*')"
  expect_none "firewall rules for an address" "$(nft list ruleset | grep -F -e 192.0.2.2 -e 192.0.2.3 || true)"
  if [ -x "$PLUGINS/cnmctl" ]; then
    expect_none "endpoint records" "$("$PLUGINS/cnmctl" endpoint ls --json | jq -r '.[]')"
  fi
}

expect_none() {
  [ -z "$2" ] || die "$1 left behind: $2"
  ok "$1 left: none"
}

main() {
  [ "$(id -u)" = 0 ] || die "run me as root"
  case ${1:-} in
    --demo) demonstrate "$2"; exit ;;
    --plugins) demo_alone "$(realpath "$2")" ;;
    '')
      install_packages
      build
      demo_alone "$ROOT/build/release/bin"
      ;;
    *) die "usage: quickstart.sh [--plugins DIR]" ;;
  esac
  say "Done in $SECONDS s."
  echo "To use it for real, go on with \"Install\" in README.md: the programs are in $ROOT/build/release/bin"
}

main "$@"
