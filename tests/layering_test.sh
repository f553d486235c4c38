#!/bin/bash
# layering_test.sh [TREE]: every #include points downward, and what else a reviewer should not have to look for. Prints TAP, one
# line per rule; exits 1 if a rule is broken. Without TREE it checks this repository and then itself: each rule must fail
# on a violation planted in an empty tree.
set -u
SELF=$(readlink -f "$0")
readonly SELF
cd "${1:-$(dirname "$SELF")/..}" || exit 2
shopt -s extglob globstar nullglob

readonly PRODUCT='^(common|ipam|cnm|plugins)/'
readonly PLUGIN='plugins/(main|ipam|meta)/'

tap_count=0
tap_failed=0

# report NAME VIOLATIONS: one TAP line; VIOLATIONS, a line each, is empty when the rule holds.
report() {
  tap_count=$((tap_count + 1))
  if [[ -z $2 ]]; then
    echo "ok $tap_count - $1"
  else
    tap_failed=1
    echo "not ok $tap_count - $1"
    printf '%s\n' "#   ${2//$'\n'/$'\n#   '}"
  fi
}

# ---- what includes what: lines of "FILE INCLUDE", where INCLUDE is <x/y.h> or "x/y.h" ---------------------------
SOURCES=$(printf '%s\n' {common,ipam,cnm,plugins,tests,integration}/**/*.{cc,h})
INCLUDES=$(
  xargs -r grep -HE '^[[:space:]]*#[[:space:]]*include' <<<"$SOURCES" /dev/null |
    sed -E 's/^([^:]+):[^<"]*([<"][^>"]*[>"]).*/\1 \2/'
)
OURS=$(grep -E "$PRODUCT" <<<"$INCLUDES")
readonly SOURCES INCLUDES OURS

# may NAME FILES OWN...: FILES (a regex) include of our folders only OWN (regexes).
may() {
  local name=$1 files=$2 allowed
  shift 2
  allowed=$(IFS='|'; echo "$*")
  report "$name" "$(grep -E "^$files" <<<"$OURS" |
    grep -E ' "(common|ipam|cnm|plugins|tests|integration)/' | grep -vE " \"($allowed)")"
}

# never NAME FILES INCLUDES: FILES do not include INCLUDES.
never() { report "$1" "$(grep -E "^$2" <<<"$OURS" | grep -E " $3")"; }

# only NAME INCLUDES FILES: nobody but FILES includes INCLUDES.
only() { report "$1" "$(grep -E " $2" <<<"$OURS" | grep -vE "^$3")"; }

# never_other NAME PREFIX [EXCEPT]: a folder below PREFIX does not include another folder below it, but lines "FILE includes FOLDER"
# that EXCEPT matches are fine.
never_other() {
  report "$1" "$(sed -nE "s#^($2([^/ ]+)/[^ ]*) \"$2([^/\"]+)/.*#\1 \2 \\3#p" <<<"$OURS" |
    awk '$2 != $3 { print $1 " includes " $3 }' | grep -vxE "${3:-}")"
}

# mentions NAME PATTERN FILES EXCEPT: FILES do not contain PATTERN, EXCEPT may.
mentions() {
  report "$1" "$(grep -E "$3" <<<"$SOURCES" | grep -vE "$4" |
    xargs -r grep -nHE "$2" /dev/null)"
}

check_layers() {
  may "base includes nothing else of ours" common/base/ common/base/
  may "net includes base" common/net/ 'common/(base|net)/'
  may "json includes base and net" common/json/ 'common/(base|net|json)/'
  may "netlink includes base and net" common/netlink/ 'common/(base|net|netlink)/'
  may "netns includes base and net" common/netns/ 'common/(base|net|netns)/'
  may "firewall includes base, net and netlink" common/firewall/ 'common/(base|net|netlink|firewall)/'
  may "http includes base and json" common/http/ 'common/(base|json|http)/'
  may "ipam includes base, net and json, no kernel" ipam/ 'common/(base|net|json)/' ipam/
  may "cnm includes no plugin" cnm/ common/ ipam/ cnm/
  may "plugins include cnm, ipam and common" plugins/ common/ ipam/ cnm/ plugins/
  never "plugins include no daemon, API, command line or HTTP" plugins/ \
    '"(cnm/(daemon|api|cli)|common/http)/'
  never "the core includes no driver and no door" 'cnm/([^/]+|store/.*|sandbox/.*|ports/.*) ' \
    '"cnm/(drivers|daemon|api|cli)/'
  never "drivers include no door" cnm/drivers/ '"cnm/(daemon|api|cli)/'
  # local serves the CNM doors by the driver that the CNI door calls itself.
  never_other "a driver includes no other driver" cnm/drivers/ "cnm/drivers/local/[^ ]* includes bridge"
  never "the plugin skeleton includes no plugin" plugins/cni/ "\"$PLUGIN"
  report "a plugin includes no other plugin" "$(grep -E "^$PLUGIN" <<<"$OURS" |
    grep -E " \"$PLUGIN" | sed -E 's#^(([^/]+/){3})([^ ]*) "(([^/]+/){3}).*#\1 \4 \1\3#' |
    awk '$1 != $2 { print $3 " includes " $2 }')"
  # cnm-xtables is part of the iptables backend.
  never_other "a packet filter backend includes no other" common/firewall/ \
    'common/firewall/xtables/[^ ]* includes iptables'
}

check_libraries() {
  only "rapidjson only in common/json" '<rapidjson/' common/json/
  only "libnl only in common/netlink and common/firewall" '<(netlink/|libnl)' 'common/(netlink|firewall)/'
  only "linux/netfilter only in common/firewall" '<linux/netfilter' common/firewall/
  only "libiptc only in common/firewall/xtables" '<(libiptc|xtables|iptables|ip6tables)' \
    common/firewall/xtables/
  only "D-Bus only in cnm-firewalld" '<(dbus|systemd)/' common/firewall/firewalld/program/
  only "Boost.Program_options only in cnm/cli and cnm/daemon" '<boost/program_options' 'cnm/(cli|daemon)/'
  only "Boost.Asio and Beast only in common/http and cnm/daemon" '<boost/(asio|beast)' \
    '(common/http|cnm/daemon)/'
  only "OpenSSL only in common/http" '<openssl/' common/http/
  only "TOML only in cnm/daemon/config" '<toml\+\+/' cnm/daemon/config/
  only "nettle only in common/base" '<nettle/' common/base/digest
  report "fmt and nettle, and no other library, in common/base and common/net" "$(
    grep -E '^common/(base|net)/' <<<"$OURS" |
      grep -E ' <[^>]*/' | grep -vE ' <(fmt|nettle|sys|linux|net|netinet|arpa|asm)/')"
  never "no streams, locale or regex in the plugin program" \
    '(common|ipam|plugins|cnm/(store|sandbox|ports|drivers)|cnm/[^/]+ )' \
    '<(iostream|fstream|sstream|locale|regex)>'
}

check_kernel_edge() {
  mentions "setns only in common/netns" '\bsetns\(' "$PRODUCT" '^common/netns/'
  mentions "programs are started only by common/base/subprocess.cc" \
    '\b(system|popen|v?fork|execl[ep]?|execv[ep]?|execvpe|fexecve|posix_spawnp?)\([^0-9]' "$PRODUCT" \
    '^common/(base/subprocess\.cc|firewall/[^/]+/main\.cc)$'
}

check_files() {
  report "an #include of ours starts at the root and exists" "$(
    grep -E ' "' <<<"$INCLUDES" | while read -r file include; do
      [[ -f ${include//\"/} ]] || echo "$file $include"
    done)"
  report "every header says #pragma once" "$(
    grep '\.h$' <<<"$SOURCES" | xargs -r grep -L '^#pragma once$')"
  report "the first line is a comment that says what the file is" "$(while read -r file; do
    [[ -z $file ]] || head -n 1 "$file" | grep -qE "^// .{10}" || echo "$file"
  done <<<"$SOURCES")"
  report "no file or folder is a drawer (util, helper, misc, manager)" "$(
    printf '%s\n' {common,ipam,cnm,plugins,tests,integration,packaging,conf}/** |
      grep -iE '(^|[/_-])(utils?|helpers?|misc|managers?)([._-][^/]*)?$')"
  report "no test links into the end-to-end tiers" "$(
    grep -E '^integration/(e2e|vm|fault)/' <<<"$SOURCES")"
  report "only the agreed entries at the root" "$(
    printf '%s\n' !(.|..) .!(|.) | sort -u | grep -vxE \
      'CMakeLists\.txt|CMakePresets\.json|(README|ARCHITECTURE|CHANGELOG)\.md|LICENSE|build|common|ipam|cnm|plugins|conf|tests|integration|packaging|\.(ci|clang-format|clang-tidy|git|gitignore)')"
  # The brackets keep this file from finding itself.
  report "nothing is left to do later" "$(
    grep -rnIE --exclude-dir=.git --exclude-dir=build '\b(TO[D]O|FIX[M]E|XX[X])\b' .)"
}

# ---- the test of the test: each rule fails on a planted violation -------------------------------------------------
# planted RULE FILE TEXT: in a tree of only FILE with TEXT behind its heading, the rule named RULE fails.
planted() {
  local tree output
  tree=$(mktemp -d)
  mkdir -p "$tree/$(dirname "$2")"
  printf '// %s: planted.\n#pragma once\n%b\n' "${2##*/}" "$3" >"$tree/$2"
  output=$("$SELF" "$tree")
  rm -r "$tree"
  grep -qE "^not ok [0-9]+ - $1" <<<"$output" || echo "$1: $2 passes"
}

# headless RULE TEXT: in a tree of one header that is only TEXT, the rule named RULE fails.
headless() {
  local tree output
  tree=$(mktemp -d)
  mkdir -p "$tree/common/base"
  printf '%b\n' "$2" >"$tree/common/base/a.h"
  output=$("$SELF" "$tree")
  rm -r "$tree"
  grep -qE "^not ok [0-9]+ - $1" <<<"$output" || echo "$1: passes"
}

check_self() {
  report "each rule fails on a planted violation" "$(
    planted "base includes" common/base/a.cc '#include "common/net/mac.h"'
    planted "net includes" common/net/a.cc '#include "common/json/object.h"'
    planted "json includes" common/json/a.cc '#include "common/netlink/link.h"'
    planted "netlink includes" common/netlink/a.cc '#include "common/json/object.h"'
    planted "netns includes" common/netns/a.cc '#include "cnm/id.h"'
    planted "firewall includes" common/firewall/a.cc '#include "common/netns/netns.h"'
    planted "http includes" common/http/a.cc '#include "common/net/mac.h"'
    planted "ipam includes" ipam/host_local/a.cc '#include "common/netns/netns.h"'
    planted "cnm includes no plugin" cnm/drivers/bridge/a.cc '#include "plugins/cni/call.h"'
    planted "plugins include cnm" plugins/main/a/a.cc '#include "tests/common/a.h"'
    planted "plugins include no daemon" plugins/main/a/a.cc '#include "cnm/cli/table.h"'
    planted "the core includes no driver" cnm/a.cc '#include "cnm/drivers/bridge/plan.h"'
    planted "the core includes no driver" cnm/store/a.cc '#include "cnm/cli/table.h"'
    planted "drivers include no door" cnm/drivers/bridge/a.cc '#include "cnm/api/a.h"'
    planted "a driver includes no other" cnm/drivers/bridge/a.cc '#include "cnm/drivers/ptp/a.h"'
    planted "the plugin skeleton" plugins/cni/a.cc '#include "plugins/main/a/a.h"'
    planted "a plugin includes no other" plugins/meta/a/a.cc '#include "plugins/main/a/a.h"'
    planted "a packet filter backend" common/firewall/nftables/a.cc '#include "common/firewall/iptables/a.h"'
    planted "rapidjson only" cnm/store/a.h '#include <rapidjson/reader.h>'
    planted "libnl only" cnm/a.cc '#  include <netlink/msg.h>'
    planted "linux/netfilter only" common/netlink/a.cc '#include <linux/netfilter/nf_tables.h>'
    planted "libiptc only" common/firewall/a.cc '#include <libiptc/libiptc.h>'
    planted "D-Bus only" common/firewall/firewalld/a.cc '#include <dbus/dbus.h>'
    planted "Boost.Program_options only" plugins/main.cc '#include <boost/program_options.hpp>'
    planted "Boost.Asio" cnm/store/a.cc '#include <boost/asio.hpp>'
    planted "OpenSSL only" cnm/daemon/a.cc '#include <openssl/ssl.h>'
    planted "TOML only" cnm/daemon/a.cc '#include <toml++/toml.h>'
    planted "nettle only" ipam/a.cc '#include <nettle/sha2.h>'
    planted "fmt and nettle" common/base/a.cc '#include <boost/json.hpp>'
    planted "no streams" plugins/main/a/a.cc '#include <iostream>'
    planted "setns only" common/netlink/a.cc 'int a = setns(3, 0);'
    planted "programs are started" cnm/a.cc 'int a = system("ip link");'
    planted "an #include of ours" common/base/a.cc '#include "fd.h"'
    planted "no file or folder is a drawer" common/base/string_util.h ''
    planted "no test links" integration/e2e/a.cc ''
    planted "only the agreed entries" src/a.cc ''
    planted "only the agreed entries" .hidden/a ''
    planted "nothing is left" conf/a 'TO''DO: later'
    headless "every header" '// a.h: planted.'
    headless "the first line is" '#pragma once'
  )"
}

check_layers
check_libraries
check_kernel_edge
check_files
[[ $# -gt 0 ]] || check_self
echo "1..$tap_count"
exit "$tap_failed"
