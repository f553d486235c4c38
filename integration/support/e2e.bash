# e2e.bash: what every suite of integration/e2e shares (bats: `load ../support/e2e`). Runs inside sandbox.sh.
#
# Kernel state is judged with strangers' tools: ip -j, nft -j, ping, directory listings. Nothing here links our code.
bats_require_minimum_version 1.5.0
SUPPORT=$(readlink -f "$BATS_TEST_DIRNAME/../support")
readonly SUPPORT
readonly IMAGE=localhost/cnm-test:1
readonly LEASES=/var/lib/cni/networks
readonly HERE=/proc/self/ns/net OUTSIDE=/run/netns/outside
servers=()

podman() { "$SUPPORT/podman/podman.sh" "$@"; }
cri() { "$SUPPORT/containerd/cri.py" "$@"; }
libcni() { CNI_PATH=/opt/cni/bin CNI_CACHE=/run/e2e/libcni "$CNM_LIBCNI_DRIVER" "$@"; }
cnmctl() { "$CNM_PLUGINS/cnmctl" "$@"; }

# Are the plugins under test cnm's? (The suites also run on Debian's plugins, to prove the suites themselves.)
ours() { [ "$CNM_PLUGINS" != /usr/lib/cni ]; }

fail() {
  printf '%s\n' "$@" >&2
  return 1
}

# expect WHAT WANT GOT
expect() { [ "$2" = "$3" ] || fail "$1: want '$2', got '$3'"; }

# wait_for SECONDS COMMAND...: until COMMAND succeeds.
wait_for() {
  local deadline=$((SECONDS + $1))
  shift
  until "$@" > /dev/null 2>&1; do
    [ $SECONDS -lt $deadline ] || fail "still failing at the deadline: $*" || return 1
  done
}

# addresses NETNS IFNAME [inet|inet6]: global addresses with their prefix length, sorted. NETNS is a path.
addresses() {
  nsenter --net="$1" ip -j address show dev "$2" |
    jq -r --arg family "${3:-inet}" '.[].addr_info[]? | select(.family == $family and .scope == "global")
      | "\(.local)/\(.prefixlen)"' | sort
}

# mac NETNS IFNAME
mac() { nsenter --net="$1" ip -j link show dev "$2" | jq -r '.[0].address'; }

# default_gateway NETNS: of IPv4
default_gateway() { nsenter --net="$1" ip -j route show default | jq -r '.[0].gateway'; }

# links NETNS: the names of all links but lo, sorted
links() { nsenter --net="$1" ip -j link | jq -r '.[].ifname | select(. != "lo")' | sort; }

# leases NETWORK: the addresses host-local holds, sorted. Its other files are its lock, its pointers and hints.
leases() { find "$LEASES/$1" -type f ! -name '.*' ! -name lock ! -name 'last_reserved_ip.*' -printf '%f\n' 2> /dev/null | sort; }

# host_state: everything a container's network leaves traces in, as text; equal texts are equal hosts.
host_state() {
  ip -j link | jq -r '.[] | "link \(.ifname)"' | sort
  ip -j address | jq -r '.[] | .ifname as $link | .addr_info[] | select(.scope == "global") | "address \($link) \(.local)"' | sort
  { ip -j route show table all; ip -6 -j route show table all; } |
    jq -r '.[] | select(.table != "local" and .dst != "fe80::/64") | "route \(.dst) \(.dev)"' | sort
  local network
  for network in "$LEASES"/*/; do
    [ ! -d "$network" ] || leases "$(basename "$network")" | sed "s#^#lease $network#"
  done
  ls /run/netns
  nft -j list ruleset | jq -cS '.nftables[] | select(has("metainfo") | not)
    | walk(if type == "object" then del(.handle, .packets, .bytes) else . end)' | sort  # chains are made in any order
  legacy_rules
  find /run/cni/tuning /run/cnm/endpoints -type f -printf 'file %p\n' 2> /dev/null | sort
  ! ours || cnmctl endpoint ls --json | jq -S .
}

# legacy_rules: of the iptables tables that nft does not show, without making those that are not there
legacy_rules() {
  local family
  for family in ip ip6; do
    [ -z "$(cat /proc/net/${family}_tables_names 2> /dev/null)" ] || ${family}tables-legacy-save | sed '/^[#:]/d'
  done
}

# expect_unchanged: the host is as host_state had it in $BATS_FILE_TMPDIR/baseline.
expect_unchanged() {
  host_state > "$BATS_TEST_TMPDIR/state"
  diff -u "$BATS_FILE_TMPDIR/baseline" "$BATS_TEST_TMPDIR/state" >&2 || fail "the host is not as it was before"
}

# expect_nothing_held NETWORK...: no lease, no container's link, no endpoint record.
expect_nothing_held() {
  local network
  for network; do
    expect "leases of $network" "" "$(leases "$network")" || return 1
  done
  expect "veth links" "" "$(links $HERE | grep '^veth')" || return 1
  ! ours || expect "endpoint records" 0 "$(cnmctl endpoint ls --json | jq length)"
}

# ran_ours VERB NETWORK [PLUGIN...]: the log of cnm's own plugins has a success of VERB on NETWORK, by each PLUGIN if
# any is named: it was not someone else's plugin that ran. (On Debian's plugins there is nothing to assert.)
ran_ours() {
  ours || return 0
  local verb=$1 network=$2 plugin seen
  shift 2
  for plugin in "${@:-}"; do
    seen=$(cnmctl log --tail 0 --json | jq -s --arg verb "$verb" --arg network "$network" --arg plugin "$plugin" 'flatten
      | map(select(.verb == $verb and .network == $network and .code == 0 and $plugin == (.plugin, ""))) | length')
    [ "$seen" -gt 0 ] || fail "cnmctl log has no successful $verb of $plugin on network $network: another plugin ran" ||
      return 1
  done
}

# fetch NETNS URL [SECONDS]: what is served there, as seen from a netns (a path); SECONDS where nobody is to answer.
fetch() { nsenter --net="$1" wget --quiet --timeout="${3:-20}" --tries=1 --output-document=- "$2"; }

# serve_udp NETNS PORT TEXT: answers each datagram to PORT with TEXT, in the background, until stop_servers.
serve_udp() {
  nsenter --net="$1" python3 -c 'import socket, sys
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind(("", int(sys.argv[1])))
while True: server.sendto(sys.argv[2].encode(), server.recvfrom(2048)[1])' "$2" "$3" 3>&- 4>&- &
  servers+=($!)
}

# serve_tcp NETNS PORT TEXT: serves a page with TEXT at http://.../, in the background, until stop_servers.
serve_tcp() {
  nsenter --net="$1" python3 -c 'import http.server, sys
class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(sys.argv[2].encode())
http.server.HTTPServer(("", int(sys.argv[1])), Page).serve_forever()' "$2" "$3" > /dev/null 2>&1 3>&- 4>&- &
  servers+=($!)
}

stop_servers() {
  [ ${#servers[@]} = 0 ] || kill "${servers[@]}" 2> /dev/null || true
  servers=()
}

# ask_udp NETNS ADDRESS PORT: what a datagram from that netns is answered with; fails after 10 s.
ask_udp() {
  nsenter --net="$1" python3 -c 'import socket, sys
client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
client.settimeout(10)
client.connect((sys.argv[1], int(sys.argv[2])))
client.send(b"?")
print(client.recv(2048).decode())' "$2" "$3" 2> /dev/null
}

# private_dir DIR: what is written below DIR is gone with the suite.
private_dir() {
  local own=/run/e2e/own$1
  mkdir -p "$own"
  mount -t tmpfs tmpfs "$own"
  mkdir "$own/upper" "$own/work"
  mount -t overlay overlay -o "lowerdir=$1,upperdir=$own/upper,workdir=$own/work" "$1"
}

# outside_up ADDRESS/PREFIX HOST_ADDRESS/PREFIX: a netns "outside" beyond the host, with no route back to any container
# network: what answers from there proves masquerading.
outside_up() {
  ip netns add outside
  ip link add outside0 type veth peer name eth0 netns outside
  ip address add "$2" dev outside0
  ip link set outside0 up
  ip -n outside address add "$1" dev eth0
  ip -n outside link set eth0 up
}
