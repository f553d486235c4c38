#!/usr/bin/env bats
# docker.bats: an unmodified Docker Engine with cnmd as its network and IPAM driver.
load ../support/e2e
load ../support/docker/docker

readonly PAGE="hello from the container"

setup_file() {
  docker_and_cnmd_up
  outside_up 198.51.100.1/24 198.51.100.254/24
}

teardown() { leave_nothing; }

expect_page() { expect "page at $2" "$PAGE" "$(fetch "$1" "$2")"; }

@test "docker: a container has the address, gateway and MAC that docker says" {
  make_network blue 10.80.0.0/24
  docker_start one blue
  local netns address
  netns=$(docker_netns one)
  address=$(docker_address one blue)
  expect "address" "$address/24" "$(addresses "$netns" eth0)"
  expect "gateway" 10.80.0.1 "$(default_gateway "$netns")"
  expect "MAC" "$(docker inspect one | jq -r '.[0].NetworkSettings.Networks.blue.MacAddress')" "$(mac "$netns" eth0)"
  docker exec one ping -c 1 -W 5 10.80.0.1
  [[ $(our_leases) == *"$address"* ]]
}

@test "docker: containers reach each other by address and name, and the outside masqueraded" {
  make_network blue 10.80.0.0/24
  docker_start one blue
  docker_start two blue
  docker exec one ping -c 1 -W 5 "$(docker_address two blue)"
  docker exec two ping -c 1 -W 5 one
  docker exec two ping -c 1 -W 5 198.51.100.1
}

# dockerd gives FORWARD the policy DROP; DOCKER-USER is where an operator refuses.
@test "docker: a published port is served to the host, other containers and outside, unless refused" {
  make_network blue 10.80.0.0/24
  docker_web web blue --publish 8080:80
  docker_start other blue
  expect_page $HERE http://127.0.0.1:8080/
  expect_page $HERE http://198.51.100.254:8080/
  expect_page "$(docker_netns other)" http://198.51.100.254:8080/
  [[ $(iptables -S FORWARD) == *"-P FORWARD DROP"* ]]
  expect_page $OUTSIDE http://198.51.100.254:8080/
  iptables -I DOCKER-USER -m conntrack --ctstate DNAT --ctorigdstport 8080 -j DROP
  run ! fetch $OUTSIDE http://198.51.100.254:8080/ 5
  iptables -D DOCKER-USER -m conntrack --ctstate DNAT --ctorigdstport 8080 -j DROP
  expect_page $OUTSIDE http://198.51.100.254:8080/
  run bind_tcp 8080
  [[ $output == *"in use"* ]]
  docker stop --time 0 web
  run ! fetch $HERE http://198.51.100.254:8080/ 5
  bind_tcp 8080
}

# bind_tcp PORT: as another program of the host
bind_tcp() { nsenter --net=$HERE python3 -c "import socket; socket.create_server(('', $1))"; }

@test "docker: a port that a program has is refused, and nothing is left of the container's" {
  make_network blue 10.80.0.0/24
  nsenter --net=$HERE python3 -c "import socket; s = socket.create_server(('', 8080)); print('up', flush=True); s.accept()" > /run/e2e/other &
  local other=$!
  wait_for 60 grep -q up /run/e2e/other
  run docker_web web blue --publish 8080:80
  kill $other
  [ "$status" -ne 0 ]
  [[ $output == *"listen tcp 0.0.0.0:8080: bind: address already in use"* ]]
  docker rm --force web > /dev/null
  expect "rules" "" "$(our_rules | grep -v '"bridge ')"
}

@test "docker: a port is chosen for --publish-all, and shown by cnmctl firewall" {
  make_network blue 10.80.0.0/24
  docker_web web blue --expose 80 --publish-all
  local port
  port=$(cnmctl firewall --json | jq -r '.[].rule' | sed -nE 's#^0\.0\.0\.0:([0-9]+)/tcp -> .*#\1#p')
  [ -n "$port" ] || fail "no published port in: $(cnmctl firewall)"
  expect_page $HERE "http://198.51.100.254:$port/"
}

@test "docker: connect and disconnect" {
  make_network blue 10.80.0.0/24
  make_network green 10.81.0.0/24
  docker_start one blue
  docker_start two green
  docker network connect green one
  expect "links" "eth0 eth1" "$(links "$(docker_netns one)" | xargs)"
  docker exec one ping -c 1 -W 5 "$(docker_address two green)"
  docker network disconnect green one
  expect "links" eth0 "$(links "$(docker_netns one)")"
  run docker exec one ping -c 1 -W 1 "$(docker_address two green)"
  [ "$status" -ne 0 ]
  docker exec one ping -c 1 -W 5 198.51.100.1
}

@test "docker: two networks are isolated from each other" {
  make_network blue 10.80.0.0/24
  make_network green 10.81.0.0/24
  docker_start one blue
  docker_web web green
  run ! fetch "$(docker_netns one)" "http://$(docker_address web green)/" 5
}

@test "docker: an internal network reaches its own and nothing else" {
  make_network inside 10.82.0.0/24 --internal
  docker_start one inside
  docker_start two inside
  docker exec one ping -c 1 -W 5 "$(docker_address two inside)"
  expect "links" eth0 "$(links "$(docker_netns one)")"
  run docker exec one ping -c 1 -W 1 198.51.100.1
  [ "$status" -ne 0 ]
  nsenter --net="$(docker_netns one)" ip route add default via 10.82.0.1
  run docker exec one ping -c 1 -W 1 198.51.100.1
  [ "$status" -ne 0 ]
  docker exec one ping -c 1 -W 5 10.82.0.1
}

@test "docker: --ip and --mac-address are obeyed, a taken address is refused" {
  make_network blue 10.80.0.0/24
  docker_start one blue --ip 10.80.0.77 --mac-address 02:00:00:00:00:77
  expect "address" 10.80.0.77/24 "$(addresses "$(docker_netns one)" eth0)"
  expect "MAC" 02:00:00:00:00:77 "$(mac "$(docker_netns one)" eth0)"
  run docker_start two blue --ip 10.80.0.77
  [ "$status" -ne 0 ]
  [[ $output == *10.80.0.77* ]]
  docker exec one ping -c 1 -W 5 10.80.0.1
}

@test "docker: IPv6" {
  make_network six 10.83.0.0/24 --ipv6 --subnet 2001:db8:83::/64
  docker_start one six
  docker_start two six --ip6 2001:db8:83::99
  expect "address" 2001:db8:83::99/64 "$(addresses "$(docker_netns two)" eth0 inet6)"
  docker exec one ping -6 -c 1 -W 5 2001:db8:83::99
  docker exec one ping -6 -c 1 -W 5 2001:db8:83::1
}

@test "docker: a subnet of another network is refused, naming it" {
  make_network blue 10.80.0.0/24
  run make_network again 10.80.0.0/25
  [ "$status" -ne 0 ]
  [[ $output == *10.80.0.0/24* ]]
  expect "networks" blue "$(docker network ls --filter driver=cnm --format '{{.Name}}')"
}

@test "docker: a network with docker's own IPAM works too" {
  docker network create --driver cnm --subnet 10.84.0.0/24 plain > /dev/null
  docker_start one plain
  docker_start two plain
  docker exec one ping -c 1 -W 5 "$(docker_address two plain)"
  docker exec one ping -c 1 -W 5 198.51.100.1
}

# restarted SIGNAL: dockerd ends by it and starts again; the network is as before and released completely.
restarted() {
  make_network blue 10.80.0.0/24
  docker_start one blue --restart always
  docker_down "$1"
  docker_up
  wait_for 60 docker exec one true
  docker exec one ping -c 1 -W 5 10.80.0.1
  docker_start two blue
  docker exec one ping -c 1 -W 5 "$(docker_address two blue)"
  remove_containers
  docker network rm blue
  expect_nothing_left
}

@test "docker: dockerd restarts (TERM)" { restarted TERM; }
@test "docker: dockerd is killed" { restarted KILL; }

# cnmd_restarted SIGNAL: containers do not notice, and all goes on.
cnmd_restarted() {
  make_network blue 10.80.0.0/24
  docker_web web blue --publish 8080:80
  docker_start one blue
  cnmd_down "$1"
  docker exec one ping -c 1 -W 5 "$(docker_address web blue)"
  expect_page $HERE http://198.51.100.254:8080/
  cnmd_up
  expect_page $HERE http://198.51.100.254:8080/
  docker_start two blue
  docker exec two ping -c 1 -W 5 "$(docker_address one blue)"
  remove_containers
  docker network rm blue
  expect_nothing_left
}

@test "docker: cnmd restarts (TERM)" { cnmd_restarted TERM; }
@test "docker: cnmd is killed" { cnmd_restarted KILL; }

@test "docker: both are killed at once" {
  make_network blue 10.80.0.0/24
  docker_start one blue --restart always
  cnmd_down KILL
  docker_down KILL
  cnmd_up
  docker_up
  wait_for 60 docker exec one ping -c 1 -W 5 10.80.0.1
  remove_containers
  docker network rm blue
  expect_nothing_left
}

@test "docker: a command waits for a cnmd that is away" {
  make_network blue 10.80.0.0/24
  cnmd_down KILL
  local before
  before=$(retries)
  docker_start one blue &
  local command=$!
  wait_for 60 more_retries "$before"
  cnmd_up
  wait $command
  docker exec one ping -c 1 -W 5 10.80.0.1
}
# retries: how often dockerd has found no plugin
retries() { grep -c "Unable to connect to plugin" /run/e2e/docker/log || true; }
more_retries() { [ "$(retries)" -gt "$1" ]; }

@test "docker: nothing is left" {
  make_network blue 10.80.0.0/24
  make_network six 10.83.0.0/24 --ipv6 --subnet 2001:db8:83::/64
  make_network inside 10.82.0.0/24 --internal
  docker_web web blue --publish 8080:80
  docker_start one six
  docker_start two inside
  docker network connect six web
  remove_containers
  remove_networks
  expect_nothing_left
  expect "rules" "" "$(our_rules)"
}
