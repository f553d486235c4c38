#!/usr/bin/env bats
# podman_default.bats: podman 4 on the conflists it writes itself: bridge, portmap, firewall, tuning. It has its default
# network `podman`, and what `podman network create` makes.
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
teardown() {
  stop_servers
  remove_all
}

@test "podman, own conflist: a container has address, lease and gateway" { check_container_is_set_up; }
@test "podman, own conflist: two containers ping each other" { check_two_containers_ping; }
@test "podman, own conflist: a container reaches the outside, masqueraded" { check_outside_is_reached; }
@test "podman, own conflist: --ip and --mac-address are obeyed" { check_asked_for_address_and_mac 10.88.0.33/16; }
@test "podman, own conflist: an address in use is refused" { check_taken_address_is_refused 10.88.0.34; }
@test "podman, own conflist: network connect and disconnect" { check_connect_and_disconnect; }
@test "podman, own conflist: a restarted container works" { check_restart_keeps_working; }

readonly PAGE="hello from the container"

# expect_page NETNS URL
expect_page() { expect "page at $2" "$PAGE" "$(fetch "$1" "$2")"; }

@test "podman, own conflist: a published port is served to everybody" {
  start_web web --publish 8080:80
  start other
  expect_page $OUTSIDE http://198.51.100.254:8080/
  expect_page $HERE http://198.51.100.254:8080/
  expect_page $HERE http://127.0.0.1:8080/
  expect_page "$(sandbox_of other)" http://198.51.100.254:8080/
  expect_page "$(sandbox_of web)" http://198.51.100.254:8080/
}

@test "podman, own conflist: a port published on 127.0.0.1 is for the host alone" {
  start_web web --publish 127.0.0.1:8080:80
  expect_page $HERE http://127.0.0.1:8080/
  run ! fetch $OUTSIDE http://198.51.100.254:8080/ 5
}

@test "podman, own conflist: published ranges and protocols" {
  start_web web --publish 8090-8091:80-81 --publish 5353:53/udp
  serve_tcp "$(sandbox_of web)" 81 "second port"
  serve_udp "$(sandbox_of web)" 53 "by udp"
  expect_page $OUTSIDE http://198.51.100.254:8090/
  wait_for 60 fetch $OUTSIDE http://198.51.100.254:8091/
  expect "second page" "second port" "$(fetch $OUTSIDE http://198.51.100.254:8091/)"
  wait_for 60 ask_udp $OUTSIDE 198.51.100.254 5353
  expect "answer" "by udp" "$(ask_udp $OUTSIDE 198.51.100.254 5353)"
  expect "answer on localhost" "by udp" "$(ask_udp $HERE 127.0.0.1 5353)"
}

@test "podman, own conflist: a client's UDP goes to the new container at once" {
  start one --publish 5353:53/udp
  serve_udp "$(sandbox_of one)" 53 one
  # One client port for both: its conntrack entry would lead to the first container for as long as it is used.
  local ask='import socket, sys
client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
client.bind(("", 40000))
client.settimeout(10)
client.connect(("198.51.100.254", 5353))
client.send(b"?")
print(client.recv(100).decode())'
  wait_for 60 nsenter --net=$OUTSIDE python3 -c "$ask"
  expect "answer" one "$(nsenter --net=$OUTSIDE python3 -c "$ask")"
  stop_servers
  podman rm --force --time 0 one
  start placeholder
  start two --publish 5353:53/udp
  serve_udp "$(sandbox_of two)" 53 two
  wait_for 60 nsenter --net=$OUTSIDE python3 -c "$ask"
  expect "answer" two "$(nsenter --net=$OUTSIDE python3 -c "$ask")"
}

@test "podman, own conflist: stop, start and restart" {
  start_web web --publish 8080:80
  podman stop --time 0 web
  run ! fetch $OUTSIDE http://198.51.100.254:8080/ 5
  podman start web
  wait_for_web web
  expect_page $OUTSIDE http://198.51.100.254:8080/
  podman restart --time 0 web
  wait_for_web web
  expect_page $OUTSIDE http://198.51.100.254:8080/
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
  start_web web --publish 8080:80
  local before
  before=$(address_of web)
  nft flush ruleset
  run ! fetch $OUTSIDE http://198.51.100.254:8080/ 5
  podman network reload web
  expect "address" "$before" "$(address_of web)"
  expect_page $OUTSIDE http://198.51.100.254:8080/
  podman exec web ping -c 1 -W 5 198.51.100.1
}

@test "podman, own conflist: cnmctl reload restores what was flushed, of all containers" {
  ours || skip "only cnm's build has cnmctl"
  start_web web --publish 8080:80
  start_web other --publish 127.0.0.1:8082:80
  nft flush ruleset
  cnmctl reload
  expect_page $OUTSIDE http://198.51.100.254:8080/
  expect_page $HERE http://127.0.0.1:8082/
  podman exec other ping -c 1 -W 5 198.51.100.1
  cnmctl firewall | grep -F 8080
}

@test "podman, own conflist: nothing is left of removed containers" {
  start one --publish 8081:80 --publish 8082-8084:82-84/udp --publish 127.0.0.1:8085:85
  start two --network podman --network made --network dual
  remove_all
  expect_nothing_held podman made dual
  expect_unchanged
}

@test "podman, own conflist: the plugins that ran were ours" {
  ran_ours ADD podman bridge portmap firewall tuning
  ran_ours DEL podman bridge portmap firewall tuning
}
