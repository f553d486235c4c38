#!/usr/bin/env bats
# containerd_chain.bats: pods as kubelet makes them on the conflist conf/21-kubernetes.conflist: host ports and the
# bandwidth annotations.
load ../support/e2e

setup_file() {
  cp "$BATS_TEST_DIRNAME/../../conf/21-kubernetes.conflist" /etc/cni/net.d/
  outside_up 198.51.100.1/24 198.51.100.254/24
  ip -n outside address add 2001:db8:51::1/64 dev eth0 nodad
  ip address add 2001:db8:51::254/64 dev outside0 nodad
  "$SUPPORT/containerd/start.sh" || return 1
  local pod
  pod=$(cri run-pod warm-up 8079:80 kubernetes.io/egress-bandwidth=10M) || return 1
  cri stop-pod "$pod" && cri remove-pod "$pod" || return 1
  host_state > "$BATS_FILE_TMPDIR/baseline"
}

teardown() {
  stop_servers
  local pod
  for pod in "${pods[@]}"; do
    cri stop-pod "$pod" && cri remove-pod "$pod"
  done
}

# new_pod NAME [WHAT...]: a pod with one container that serves /www; sets $pod, $sandbox and $address (IPv4).
new_pod() {
  pod=$(cri run-pod "$@")
  pods+=("$pod")
  local container
  container=$(cri run "$pod" "$IMAGE" httpd -f -p 80 -h /www)
  sandbox=/proc/$(ctr --namespace k8s.io task list | awk -v id="$container" '$1 == id {print $2}')/ns/net
  address=$(cri pod-addresses "$pod" | head -n 1)
  wait_for 60 fetch $HERE "http://$address/"
}

readonly PAGE="hello from the container"

# expect_page NETNS URL
expect_page() { expect "page at $2" "$PAGE" "$(fetch "$1" "$2")"; }

# rate_of LINK: what its root qdisc lets through, in bytes per second
rate_of() { tc -j qdisc show dev "$1" | jq -r '.[] | select(.kind == "tbf" and .root) | .options.rate'; }

# host_link NETNS: the name of the host's end of eth0
host_link() {
  local peer
  peer=$(nsenter --net="$1" ip -j link show dev eth0 | jq '.[0].link_index')
  ip -j link | jq -r --argjson index "$peer" '.[] | select(.ifindex == $index) | .ifname'
}

@test "containerd, whole chain: a host port is served to everybody, over IPv4 and IPv6" {
  new_pod one 8080:80
  local first=$sandbox
  expect_page $OUTSIDE http://198.51.100.254:8080/
  expect_page $OUTSIDE "http://[2001:db8:51::254]:8080/"
  expect_page $HERE http://127.0.0.1:8080/
  expect_page "$first" http://198.51.100.254:8080/
  new_pod two
  expect_page "$sandbox" http://198.51.100.254:8080/
}

@test "containerd, whole chain: protocol and host IP of a host port" {
  new_pod one 5353:53/udp 8080:80/tcp@127.0.0.1
  serve_udp "$sandbox" 53 "by udp"
  wait_for 60 ask_udp $OUTSIDE 198.51.100.254 5353
  expect "answer" "by udp" "$(ask_udp $OUTSIDE 198.51.100.254 5353)"
  expect_page $HERE http://127.0.0.1:8080/
  run ! fetch $OUTSIDE http://198.51.100.254:8080/ 5
}

@test "containerd, whole chain: bandwidth annotations shape both directions" {
  new_pod one kubernetes.io/ingress-bandwidth=10M kubernetes.io/egress-bandwidth=20M
  local port ifb
  port=$(host_link "$sandbox")
  expect "rate to the pod" 1250000 "$(rate_of "$port")"
  ifb=$(ip -j -d link show type ifb | jq -r '.[].ifname')
  expect "rate from the pod" 2500000 "$(rate_of "$ifb")"
  tc -j filter show dev "$port" parent ffff: | jq -e --arg ifb "$ifb" \
    '[.. | objects | select(.kind? == "mirred" and .to_dev == $ifb)] | length > 0'
  expect_page $HERE "http://$address/"
}

@test "containerd, whole chain: sysctls of tuning hold in the pod" {
  new_pod one
  expect "somaxconn" 4096 "$(nsenter --net="$sandbox" cat /proc/sys/net/core/somaxconn)"
}

@test "containerd, whole chain: both DELs of a pod succeed and leave nothing" {
  new_pod one 8080:80 5353:53/udp kubernetes.io/ingress-bandwidth=10M kubernetes.io/egress-bandwidth=20M
  cri stop-pod "$pod"
  expect "IFBs after StopPodSandbox" "[]" "$(ip -j link show type ifb)"
  cri remove-pod "$pod"
  pods=()
  expect_nothing_held kubernetes
  expect_unchanged
}

@test "containerd, whole chain: a pod killed from outside leaves nothing either" {
  new_pod one 8080:80 kubernetes.io/egress-bandwidth=20M
  ctr --namespace k8s.io task kill --signal KILL "$pod"
  cri stop-pod "$pod"
  cri remove-pod "$pod"
  pods=()
  expect_nothing_held kubernetes
  expect_unchanged
}

@test "containerd, whole chain: the plugins that ran were ours" {
  ran_ours ADD kubernetes bridge portmap bandwidth firewall tuning
  ran_ours DEL kubernetes bridge portmap bandwidth firewall tuning
}
