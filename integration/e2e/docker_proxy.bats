#!/usr/bin/env bats
# docker_proxy.bats: published ports of an unmodified Docker Engine's containers on 127.0.0.1 and ::1, with and without
# the userland proxy of cnmd, and free again whatever ends.
load ../support/e2e
load ../support/docker/docker

readonly PAGE="hello from the container"
readonly WITH=/run/e2e/with-proxy.toml

setup_file() {
  docker_and_cnmd_up
  outside_up 198.51.100.1/24 198.51.100.254/24
  printf '[ports]\nuserland_proxy = true\n' > $WITH
}

teardown() { leave_nothing; }

expect_page() { expect "page at $2" "$PAGE" "$(fetch "$1" "$2")"; }

# restart_cnmd SIGNAL ARGS...
restart_cnmd() {
  local signal=$1
  shift
  cnmd_down "$signal"
  cnmd_up "$@"
}

# bind_tcp HOST PORT: as another program of the host
bind_tcp() {
  nsenter --net=$HERE python3 -c "import socket, sys
host, port = sys.argv[1:]
socket.create_server((host, int(port)), family=socket.AF_INET6 if ':' in host else socket.AF_INET)" "$@"
}

expect_free() {
  bind_tcp 0.0.0.0 "$1"
  bind_tcp :: "$1"
}

expect_taken() {
  run bind_tcp 0.0.0.0 "$1"
  [[ $output == *"in use"* ]] || fail "port $1 is free: $output"
}

# expect_served_here PORT: to the host by each of its addresses, and to the container itself by the host's
expect_served_here() {
  expect_page $HERE "http://127.0.0.1:$1/"
  expect_page $HERE "http://198.51.100.254:$1/"
  expect_page "$(docker_netns web)" "http://198.51.100.254:$1/"
  expect_page "$(docker_netns web)" "http://10.80.0.1:$1/"
}

@test "proxy: without it, the host and the container itself reach a published port, and ::1 refuses" {
  restart_cnmd TERM
  make_network blue 10.80.0.0/24
  docker_web web blue --publish 8080:80
  expect_served_here 8080
  run ! fetch $HERE "http://[::1]:8080/" 5
  expect_taken 8080
  docker rm --force web > /dev/null
  expect_free 8080
}

@test "proxy: with it, ::1 and IPv6 reach a container that has IPv4 only" {
  restart_cnmd TERM --config $WITH
  make_network blue 10.80.0.0/24
  docker_web web blue --publish 8080:80
  expect_served_here 8080
  expect_page $HERE "http://[::1]:8080/"
  docker rm --force web > /dev/null
  expect_free 8080
}

@test "proxy: a port is held, served and free again through kill and restart of cnmd" {
  restart_cnmd TERM --config $WITH
  make_network blue 10.80.0.0/24
  docker_web web blue --publish 8080:80
  restart_cnmd KILL --config $WITH
  expect_taken 8080
  expect_served_here 8080
  expect_page $HERE "http://[::1]:8080/"
  restart_cnmd KILL  # and now without
  expect_taken 8080
  expect_served_here 8080
  run ! fetch $HERE "http://[::1]:8080/" 5
  docker rm --force web > /dev/null
  expect_free 8080
}
