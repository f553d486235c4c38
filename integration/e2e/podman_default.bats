#!/usr/bin/env bats
# podman_default.bats: podman 4 on the conflists it writes itself: bridge, portmap, firewall, tuning. It has its default
# network `podman`, and what `podman network create` makes. The plugins cnm lacks are Debian's.
load ../support/e2e
load ../support/podman

setup_file() {
  podman network create --subnet 10.63.0.0/24 made
  podman network create --subnet 10.64.0.0/24 --subnet 2001:db8:64::/64 --ipv6 dual
  outside_up 198.51.100.1/24 198.51.100.254/24
  podman run --rm --network podman --publish 8079:80 "$IMAGE" true  # portmap's table skeleton
  warm_up podman made dual
}

setup() { NETWORK=podman SECOND=made; }
teardown() { remove_all; }

@test "podman, own conflist: a container has address, lease and gateway" { check_container_is_set_up; }
@test "podman, own conflist: two containers ping each other" { check_two_containers_ping; }
@test "podman, own conflist: a container reaches the outside, masqueraded" { check_outside_is_reached; }
@test "podman, own conflist: --ip and --mac-address are obeyed" { check_asked_for_address_and_mac 10.88.0.33/16; }
@test "podman, own conflist: an address in use is refused" { check_taken_address_is_refused 10.88.0.34; }
@test "podman, own conflist: network connect and disconnect" { check_connect_and_disconnect; }
@test "podman, own conflist: a restarted container works" { check_restart_keeps_working; }

@test "podman, own conflist: a published port is served" {
  start web --publish 127.0.0.1:8080:80
  podman exec --detach web httpd -p 80 -h /www
  wait_for 10 wget --quiet --timeout=2 --tries=1 --output-document=- "http://$(address_of web)/"
  expect "page" "hello from the container" "$(wget --quiet --timeout=5 --output-document=- http://127.0.0.1:8080/)"
}

@test "podman, own conflist: a dual-stack network pings over IPv6" {
  NETWORK=dual
  start one
  start two
  local peer
  peer=$(addresses "$(sandbox_of two)" eth0 inet6 | cut -d/ -f1)
  [[ $peer == 2001:db8:64::* ]]
  podman exec one ping -6 -c 1 -W 5 "$peer"
}

@test "podman, own conflist: network reload restores what was flushed" {
  start one
  local before
  before=$(address_of one)
  nft flush ruleset
  podman network reload one
  expect "address" "$before" "$(address_of one)"
  podman exec one ping -c 1 -W 5 198.51.100.1
}

@test "podman, own conflist: nothing is left of removed containers" {
  start one --publish 8081:80
  start two --network podman --network made --network dual
  remove_all
  expect_nothing_held podman made dual
  expect_unchanged
}

@test "podman, own conflist: the plugins that ran were ours" {
  ran_ours ADD podman
  ran_ours DEL podman
}
