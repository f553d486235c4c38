#!/usr/bin/env bats
# two_runtimes.bats: podman and libcni on one network at once: no address is given twice, and neither disturbs the other.
load ../support/e2e
load ../support/podman

readonly CONFLIST=/etc/cni/net.d/10-shared.conflist
readonly ROUNDS=8

setup_file() {
  cat > $CONFLIST << END
{"cniVersion": "1.0.0", "name": "shared", "plugins": [
  {"type": "bridge", "bridge": "br-shared", "isGateway": true, "ipMasq": true,
   "ipam": {"type": "host-local", "ranges": [[{"subnet": "10.68.0.0/24"}]], "routes": [{"dst": "0.0.0.0/0"}]}}]}
END
  local i
  for i in $(seq $ROUNDS); do ip netns add "n$i"; done
  warm_up shared
}

setup() { NETWORK=shared; }
teardown() {
  remove_all
  local i
  for i in $(seq $ROUNDS); do libcni del $CONFLIST "n$i" "/run/netns/n$i" eth0; done
}

# held: every address of br-shared's containers as their own netns shows it, one a line
held() {
  local i
  for i in $(seq $ROUNDS); do
    addresses "/run/netns/n$i" eth0 2> /dev/null
    addresses "$(sandbox_of "p$i")" eth0
  done
}

@test "two runtimes: podman and libcni at the same time share a network and never an address" {
  local i job jobs=()
  for i in $(seq $ROUNDS); do
    libcni add $CONFLIST "n$i" "/run/netns/n$i" eth0 > /dev/null 3>&- &
    jobs+=($!)
    start "p$i" 3>&- &
    jobs+=($!)
  done
  for job in "${jobs[@]}"; do wait "$job"; done
  expect "addresses" $((2 * ROUNDS)) "$(held | wc -l)"
  expect "addresses given twice" "" "$(held | sort | uniq -d)"
  expect "leases" "$(held | cut -d/ -f1 | sort)" "$(leases shared)"
  podman exec p1 ping -c 1 -W 5 "$(addresses /run/netns/n1 eth0 | cut -d/ -f1)"
}

@test "two runtimes: what one removes, the other keeps" {
  start p1
  libcni add $CONFLIST n1 /run/netns/n1 eth0
  local libcni_address podman_address
  libcni_address=$(addresses /run/netns/n1 eth0 | cut -d/ -f1)
  podman_address=$(address_of p1)
  podman exec p1 ping -c 1 -W 5 "$libcni_address"
  remove_all
  expect "leases" "$libcni_address" "$(leases shared)"
  ip netns exec n1 ping -c 1 -W 5 10.68.0.1
  start p2
  libcni del $CONFLIST n1 /run/netns/n1 eth0
  podman_address=$(address_of p2)
  expect "leases" "$podman_address" "$(leases shared)"
  podman exec p2 ping -c 1 -W 5 10.68.0.1
}

@test "two runtimes: an address one holds is refused to the other" {
  libcni add $CONFLIST n1 /run/netns/n1 eth0 'IgnoreUnknown=1;IP=10.68.0.50'
  run start p1 --ip 10.68.0.50
  [ "$status" -ne 0 ]
  [[ $output == *"requested IP address 10.68.0.50 is not available"* ]]
  expect "leases" 10.68.0.50 "$(leases shared)"
}

@test "two runtimes: nothing is left when both are gone" {
  start p1
  libcni add $CONFLIST n1 /run/netns/n1 eth0
  remove_all
  libcni del $CONFLIST n1 /run/netns/n1 eth0
  expect_nothing_held shared
  expect_unchanged
}

@test "two runtimes: the plugins that ran were ours" {
  ran_ours ADD shared
  ran_ours DEL shared
}
