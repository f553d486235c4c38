#!/usr/bin/env bats
# podman_bridge.bats: podman 4 on networks whose conflist is `bridge` alone.
load ../support/e2e
load ../support/podman

# conflist NAME BRIDGE SUBNET
conflist() {
  cat > "/etc/cni/net.d/$1.conflist" << END
{"cniVersion": "1.0.0", "name": "$1", "plugins": [
  {"type": "bridge", "bridge": "$2", "isGateway": true, "ipMasq": true,
   "ipam": {"type": "host-local", "ranges": [[{"subnet": "$3"}]], "routes": [{"dst": "0.0.0.0/0"}]}}]}
END
}

setup_file() {
  conflist blue br-blue 10.61.0.0/24
  conflist green br-green 10.62.0.0/24
  outside_up 198.51.100.1/24 198.51.100.254/24
  warm_up blue green
}

setup() { NETWORK=blue SECOND=green; }
teardown() { remove_all; }

@test "podman, bridge alone: a container has address, lease and gateway" { check_container_is_set_up; }
@test "podman, bridge alone: two containers ping each other" { check_two_containers_ping; }
@test "podman, bridge alone: a container reaches the outside, masqueraded" { check_outside_is_reached; }
@test "podman, bridge alone: --ip and --mac-address are obeyed" { check_asked_for_address_and_mac 10.61.0.33/24; }
@test "podman, bridge alone: an address in use is refused" { check_taken_address_is_refused 10.61.0.34; }
@test "podman, bridge alone: network connect and disconnect" { check_connect_and_disconnect; }
@test "podman, bridge alone: a restarted container works" { check_restart_keeps_working; }

@test "podman, bridge alone: nothing is left of removed containers" {
  start one
  start two --network blue --network green
  remove_all
  expect_nothing_held blue green
  expect_unchanged
}

@test "podman, bridge alone: the plugins that ran were ours" {
  ran_ours ADD blue
  ran_ours DEL blue
}
