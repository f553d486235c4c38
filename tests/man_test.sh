#!/bin/bash
# man_test.sh PROGRAMS: that the manual pages are well-formed and have the options, commands and keys that the programs in the
# directory PROGRAMS have, and no others. Prints TAP.
set -u
ROOT=$(readlink -f "$(dirname "$(readlink -f "$0")")/..")
readonly ROOT PROGRAMS=$1 PAGES=$ROOT/packaging/man

count=0 failed=0

# expect NAME WANT GOT
expect() {
  count=$((count + 1))
  if [ "$2" = "$3" ]; then
    echo "ok $count - $1"
  else
    failed=1
    printf 'not ok %s - %s\n#   want: %s\n#   got:  %s\n' "$count" "$1" "$2" "$3"
  fi
}

# rendered PAGE: its text, each paragraph one line
rendered() { groff -mdoc -Tascii -P-cbou -rLL=3000n "$PAGES/$1"; }

# options: the long options in the text on stdin, sorted, on one line
options() { grep -oE -- '(^|[^a-z-])--[a-z][a-z-]*' | grep -oE -- '--[a-z-]+' | sort -u | paste -sd ' '; }

# described PAGE: the options that the page has an entry for
described() { rendered "$1" | grep -E '^ *-' | sed -E 's/^ *((-[a-zA-Z], )?--?[a-z-]+).*/\1/' | options; }

for page in "$PAGES"/*.[1-8]; do
  name=$(basename "$page")
  expect "$name: no warning" "" "$(MANWIDTH=80 man --warnings --local-file "$page" 2>&1 > /dev/null)"
  expect "$name: has its name" "${name%.*}" "$(rendered "$name" | sed -nE '/^NAME/{n;s/^ *([a-z.-]+) -- .*/\1/p}')"
  expect "$name: is what README and the others call it" yes \
    "$(grep -rqF "Xr ${name%.*} ${name##*.}" --include="*.[1-8]" --exclude="$name" "$PAGES" && echo yes)"
done

# Examples in the help begin with the program's name; what is said of another one's options is in the middle of a line.
for program in cnmd.8 dnet.1; do
  expect "$program: options" "$("$PROGRAMS/${program%.*}" --help | grep -E '^ +-' | sed -E 's/^(( +-[a-zA-Z][ ,]+(\[ )?)| +)(--[a-z-]+).*/\4/' | options)" \
    "$(described "$program")"
done

text=$(rendered cnmctl.8)
overview=$("$PROGRAMS/cnmctl" --help)
mapfile -t commands < <(sed -nE 's/^  cnmctl ([a-z]+( [a-z]+)?)  .*/\1/p' <<< "$overview")
expect "cnmctl.8: commands" "$(printf '%s\n' "${commands[@]}" | sort | paste -sd ,)" \
  "$(sed -nE '/^DESCRIPTION/,$s/^ +cnmctl ([a-z]+( [a-z]+)?)( [A-Z[].*)?$/\1/p' <<< "$text" | sort | paste -sd ,)"
for command in "${commands[@]}"; do
  # Every command has --help, and TLS where it has --socket: the page says so once.
  # shellcheck disable=SC2086
  expect "cnmctl.8: options of $command" \
    "$("$PROGRAMS/cnmctl" $command --help | awk '/^  (-h \[ )?--/ {print $1 == "-h" ? $3 : $1}' | grep -vE -- '--(help|tls[a-z]*)$' | options)" \
    "$(grep -E "^ +cnmctl $command( [A-Z[]|\$)" <<< "$text" | head -n 1 | options)"
done

# keys: "section.key" of the TOML on stdin, commented or not
expect "cnmd.toml.5: keys" "$(awk '/^\[/ {section = $1; gsub(/[][]/, "", section)} /^[a-z_]+ = / {print section "." $1}' "$ROOT/conf/cnmd.toml" | sort | paste -sd ' ')" \
  "$(rendered cnmd.toml.5 | sed -E 's/^ +//' | awk '/^\[[a-z]+\]$/ {section = $1; gsub(/[][]/, "", section)} /^[a-z_]+ = / {print section "." $1}' | sort | paste -sd ' ')"

for plugin in bridge host-local loopback portmap firewall tuning bandwidth; do
  expect "cnm-plugins.7: $plugin" yes "$(rendered cnm-plugins.7 | grep -qE "^ +$plugin: " && echo yes)"
done
# The keys that each plugin's document has a row for
for document in portmap firewall-plugin tuning bandwidth; do
  plugin=${document%-plugin}
  section=$(rendered cnm-plugins.7 | awk -v plugin="$plugin:" '$1 == plugin {inside = 1; next} inside && /^ ? ? ?[a-zA-Z]/ {exit} inside {print}')
  mapfile -t keys < <(awk -F '|' '/^[|] key / {inside = 1; next} /^$/ {inside = 0} inside {print $2}' "$ROOT/packaging/docs/$document.md" | grep -oE '[a-zA-Z0-9]+')
  missing=$(for key in "${keys[@]}"; do
    case $key in hostPort | hostPortEnd | containerPort | protocol | hostIP) continue ;; esac # the runtime's
    grep -qw "$key" <<< "$section" || echo "$key"
  done | paste -sd ' ')
  expect "cnm-plugins.7: keys of $plugin" "" "$missing"
done

echo "1..$count"
exit $failed
