#!/usr/bin/env bats
# containerd.bats: pods through containerd's CRI, as kubelet makes them.
load ../support/e2e

setup_file() {
  cat > /etc/cni/net.d/10-pods.conflist << END
{"cniVersion": "1.0.0", "name": "pods", "plugins": [
  {"type": "bridge", "bridge": "cni0", "isGateway": true, "ipMasq": true,
   "ipam": {"type": "host-local", "ranges": [[{"subnet": "10.65.0.0/24"}], [{"subnet": "2001:db8:65::/64"}]],
            "routes": [{"dst": "0.0.0.0/0"}, {"dst": "::/0"}]}}]}
END
  outside_up 198.51.100.1/24 198.51.100.254/24
  "$SUPPORT/containerd/start.sh" || return 1
  local pod
  pod=$(cri run-pod warm-up) || return 1
  cri stop-pod "$pod" && cri remove-pod "$pod" || return 1
  host_state > "$BATS_FILE_TMPDIR/baseline"
}

teardown() {
  local pod
  for pod in "${pods[@]}"; do
    cri stop-pod "$pod" && cri remove-pod "$pod"
  done
}

# new_pod NAME: a pod with one container that sleeps; sets $pod, $container and $address (IPv4).
new_pod() {
  pod=$(cri run-pod "$1")
  pods+=("$pod")
  container=$(cri run "$pod" "$IMAGE" sleep infinity)
  address=$(cri pod-addresses "$pod" | head -n 1)
}

# sandbox_of CONTAINER: its netns, by way of a process in it
sandbox_of() { echo "/proc/$(ctr --namespace k8s.io task list | awk -v id="$1" '$1 == id {print $2}')/ns/net"; }

# loopback VERB STDIN [NETNS]: the very call kubelet's runtimes make for lo.
loopback() {
  CNI_COMMAND=$1 CNI_CONTAINERID=kubelet CNI_NETNS=${3-/run/netns/bare} CNI_IFNAME=lo CNI_PATH=/opt/cni/bin \
    CNI_ARGS='IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME=p;K8S_POD_INFRA_CONTAINER_ID=kubelet;K8S_POD_UID=u' \
    /opt/cni/bin/loopback <<< "$2"
}

@test "containerd: the runtime reports its network as ready" {
  cri status | grep -x 'NetworkReady true *'
}

@test "containerd: a pod has both addresses of its status, its leases, and lo up" {
  new_pod one
  local sandbox reported
  sandbox=$(sandbox_of "$container")
  reported=$(cri pod-addresses "$pod" | sort | xargs)
  expect "addresses" "$reported" \
    "$({ addresses "$sandbox" eth0; addresses "$sandbox" eth0 inet6; } | cut -d/ -f1 | sort | xargs)"
  expect "leases" "$reported" "$(leases pods | xargs)"
  nsenter --net="$sandbox" ip -j link show dev lo | jq -e '.[0].flags | index("UP")'
}

@test "containerd: two pods ping each other, over IPv4 and IPv6" {
  new_pod one
  local first_container=$container first_address=$address
  new_pod two
  cri exec "$first_container" ping -c 1 -W 5 "$address"
  cri exec "$container" ping -c 1 -W 5 "$first_address"
  cri exec "$first_container" ping -6 -c 1 -W 5 "$(cri pod-addresses "$pod" | grep :)"
}

@test "containerd: a pod reaches its gateway and the outside, masqueraded" {
  new_pod one
  cri exec "$container" ping -c 1 -W 5 10.65.0.1
  cri exec "$container" ping -c 1 -W 5 198.51.100.1
}

@test "containerd: both DELs of a pod succeed and leave nothing" {
  new_pod one
  cri stop-pod "$pod"
  expect "leases after StopPodSandbox" "" "$(leases pods)"
  cri remove-pod "$pod"
  pods=()
  expect_nothing_held pods
  expect_unchanged
}

@test "containerd: a pod killed from outside is cleaned up, and its sibling goes on" {
  new_pod one
  local survivor=$container
  new_pod two
  ctr --namespace k8s.io task kill --signal KILL "$pod"
  cri stop-pod "$pod"
  cri remove-pod "$pod"
  unset 'pods[1]'
  expect "leases" "$(cri pod-addresses "${pods[0]}" | sort | xargs)" "$(leases pods | xargs)"
  cri exec "$survivor" ping -c 1 -W 5 10.65.0.1
}

@test "containerd: kubelet's loopback call is answered in the shape of 0.3.1" {
  ip netns add bare
  local request='{"cniVersion":"0.3.1","name":"cni-loopback","type":"loopback"}'
  run -0 --separate-stderr loopback ADD "$request"
  jq -e '.cniVersion == "0.3.1"
    and .interfaces == [{"name": "lo", "mac": "00:00:00:00:00:00", "sandbox": "/run/netns/bare"}]
    and (.ips | map(.address)) == ["127.0.0.1/8", "::1/128"]
    and (.ips | map(.interface)) == [0, 0]' <<< "$output"
  # The reference forgets the member that 1.0.0 removed and 0.3.1 requires.
  ! ours || jq -e '.ips | map(.version) == ["4", "6"]' <<< "$output"
  ip -n bare -j link show dev lo | jq -e '.[0].flags | index("UP")'
  run -0 --separate-stderr loopback DEL "$request"
  expect "output of DEL" "" "$output"
  ip netns delete bare
  loopback DEL "$request"
  loopback DEL "$request" ""
}

@test "containerd: the plugins that ran were ours" {
  ran_ours ADD pods
  ran_ours DEL pods
  ran_ours ADD cni-loopback
}
