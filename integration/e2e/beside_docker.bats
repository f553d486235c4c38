#!/usr/bin/env bats
# beside_docker.bats: the same chain on a host where dockerd runs: its FORWARD policy is DROP, its own NAT rules stand.
load ../support/e2e
load ../support/podman

setup_file() {
  outside_up 198.51.100.1/24 198.51.100.254/24
  "$SUPPORT/docker/start.sh" || return 1
  docker_says "FORWARD's policy" "-P FORWARD DROP" iptables -S FORWARD || return 1
  mkdir -p /run/e2e/podman
  podman images > /dev/null # makes the image
  docker load --input /run/e2e/image.tar > /dev/null || return 1
  ip netns add one
  podman run --rm --network podman --publish 8079:80 "$IMAGE" true
  isolated add && isolated del || return 1
  warm_up podman
}

setup() { NETWORK=podman; }

teardown() {
  stop_servers
  remove_all
  docker ps --quiet --all | xargs -r "$(command -v docker)" --host unix:///run/docker.sock rm --force > /dev/null
  isolated del
}

readonly CONFLIST=$BATS_TEST_DIRNAME/../../conf/22-isolated.conflist
readonly PUBLISHED='{"portMappings": [{"hostPort": 8083, "containerPort": 80, "protocol": "tcp"}]}'
readonly PAGE="hello from the container"

# isolated VERB: of a container on the network of 22-isolated.conflist, through libcni
isolated() { libcni "$1" "$CONFLIST" one /run/netns/one eth0 '' "$PUBLISHED" > /dev/null; }

docker() { command docker --host unix:///run/docker.sock "$@"; }

# docker_says WHAT LINE COMMAND...: COMMAND prints that line.
docker_says() {
  local what=$1 line=$2
  shift 2
  "$@" | grep -qxF -- "$line" || fail "$what: no line '$line'"
}

# expect_page NETNS URL
expect_page() { expect "page at $2" "$PAGE" "$(fetch "$1" "$2")"; }

@test "beside dockerd: two containers reach each other and the outside" {
  start one
  start two
  podman exec one ping -c 1 -W 5 "$(address_of two)"
  podman exec two ping -c 1 -W 5 198.51.100.1
}

# From outside, what is new is for FORWARD's policy to decide, here as with the reference: DOCKER-USER is where an
# operator allows it.
@test "beside dockerd: a published port is served to the host and other containers, and outside when allowed" {
  start_web web --publish 8080:80
  start other
  expect_page $HERE http://198.51.100.254:8080/
  expect_page $HERE http://127.0.0.1:8080/
  iptables -I DOCKER-USER -o cni-podman0 -m conntrack --ctstate DNAT -j ACCEPT
  run fetch $OUTSIDE http://198.51.100.254:8080/
  iptables -D DOCKER-USER -o cni-podman0 -m conntrack --ctstate DNAT -j ACCEPT
  expect "page from outside" "$PAGE" "$output"
  expect_page "$(sandbox_of other)" http://198.51.100.254:8080/
}

@test "beside dockerd: docker's own containers and ports go on" {
  start_web web --publish 8080:80
  docker run --detach --name theirs --publish 8081:80 "$IMAGE" httpd -f -p 80 -h /www > /dev/null
  wait_for 60 fetch $HERE http://127.0.0.1:8081/
  expect_page $OUTSIDE http://198.51.100.254:8081/
  docker exec theirs ping -c 1 -W 5 198.51.100.1
  expect_page $HERE http://198.51.100.254:8080/
}

@test "beside dockerd: the outside reaches no container but by its published ports" {
  start_web web --publish 8080:80
  ip -n outside route add 10.88.0.0/16 via 198.51.100.254
  run fetch $OUTSIDE "http://$(address_of web)/" 5
  local reached=$status
  ip -n outside route del 10.88.0.0/16
  # The reference accepts answers to a container and what comes from it, nothing else; so does FORWARD's policy.
  [ "$reached" != 0 ]
}

@test "beside dockerd: an isolated network of libcni" {
  isolated add
  serve_tcp /run/netns/one 80 "from the isolated"
  wait_for 60 fetch $HERE http://198.51.100.254:8083/
  ip netns exec one ping -c 1 -W 5 198.51.100.1
  isolated del
  run ! fetch $HERE http://198.51.100.254:8083/ 5
  expect_unchanged
}

@test "beside dockerd: nothing is left" {
  start_web web --publish 8080:80
  remove_all
  expect_nothing_held podman
  expect_unchanged
}

@test "beside dockerd: the plugins that ran were ours" {
  ran_ours ADD podman bridge portmap firewall tuning
  ran_ours DEL podman bridge portmap firewall tuning
}
