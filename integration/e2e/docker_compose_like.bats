#!/usr/bin/env bats
# docker_compose_like.bats: what `docker compose up` and `down` do, by the docker command: two networks on cnmd, and three
# services that know each other by name.
load ../support/e2e
load ../support/docker/docker

readonly PAGE="hello from the container"

setup_file() {
  docker_and_cnmd_up
  outside_up 198.51.100.1/24 198.51.100.254/24
  up
}

# service NAME NETWORK ARGS...: a container that serves a page, started again whenever it ends
service() {
  local name=$1 network=$2
  shift 2
  docker run --detach --cgroup-parent /cnm-e2e --name "shop-$name-1" --restart always --network "$network" \
    --network-alias "$name" --label com.docker.compose.service="$name" "$@" "$IMAGE" httpd -f -p 80 -h /www > /dev/null
}

# also NETWORK NAME ALIAS: the service is on this network too
also() { docker network connect --alias "$3" "$1" "shop-$2-1"; }

up() {
  make_network shop_front 10.85.0.0/24 --label com.docker.compose.network=front
  make_network shop_back 10.86.0.0/24 --internal --ip-range 10.86.0.128/25 --gateway 10.86.0.254 --aux-address keep=10.86.0.129
  service db shop_back --network-alias database
  service web shop_back
  also shop_front web web
  service proxy shop_front --publish 8080:80
  also shop_back proxy proxy
}

down() {
  docker rm --force shop-proxy-1 shop-web-1 shop-db-1 > /dev/null
  docker network rm shop_front shop_back > /dev/null
}

# asks FROM NAME: what the service says that FROM reaches by this name
asks() { docker exec "shop-$1-1" wget -q -O - "http://$2/"; }
# expect_page FROM NAME...
expect_page() {
  local from=$1 name
  shift
  for name; do expect "page at $name from $from" "$PAGE" "$(asks "$from" "$name")" || return 1; done
}

@test "compose: services reach each other by service name, alias and container name" {
  wait_for 60 expect_page web db
  expect_page web db database shop-db-1 proxy
  expect_page proxy web database
  expect_page db web proxy
}

@test "compose: the proxy is served to the host, and only what has a front reaches the outside" {
  expect "page" "$PAGE" "$(fetch $HERE http://198.51.100.254:8080/)"
  docker exec shop-web-1 ping -c 1 -W 5 198.51.100.1
  run docker exec shop-db-1 ping -c 1 -W 1 198.51.100.1
  [ "$status" -ne 0 ]
}

@test "compose: network inspect tells of subnets, gateways and who is there" {
  local inspected
  inspected=$(docker network inspect shop_back)
  expect "members" "shop-db-1 shop-proxy-1 shop-web-1" "$(jq -r '[.[0].Containers[].Name] | sort | join(" ")' <<< "$inspected")"
  expect "subnet" 10.86.0.0/24 "$(jq -r '.[0].IPAM.Config[0].Subnet' <<< "$inspected")"
  expect "gateway" 10.86.0.254 "$(jq -r '.[0].IPAM.Config[0].Gateway' <<< "$inspected")"
  expect "internal" true "$(jq -r '.[0].Internal' <<< "$inspected")"
  expect "driver" cnm/cnm "$(jq -r '.[0] | "\(.Driver)/\(.IPAM.Driver)"' <<< "$inspected")"
  local address
  for address in $(jq -r '.[0].Containers[].IPv4Address' <<< "$inspected"); do
    [[ $address =~ ^10\.86\.0\.(1[2-9][0-9]|2[0-9][0-9])/24$ ]] || fail "$address is not in the range"
  done
  expect "label" front "$(docker network inspect shop_front | jq -r '.[0].Labels["com.docker.compose.network"]')"
}

@test "compose: a service that ends is started again, under the same name" {
  local before
  before=$(docker inspect --format '{{.State.Pid}}' shop-web-1)
  kill -s KILL "$before"
  wait_for 60 is_another "$before"
  wait_for 60 expect_page proxy web
  expect_page db web
  docker restart --time 0 shop-db-1 > /dev/null
  wait_for 60 expect_page web database
}
is_another() {
  local now
  now=$(docker inspect --format '{{.State.Pid}}' shop-web-1)
  [ "$now" -gt 0 ] && [ "$now" != "$1" ]
}

@test "compose: a service is made anew while the others go on" {
  docker rm --force shop-web-1 > /dev/null
  service web shop_back
  also shop_front web web
  wait_for 60 expect_page proxy web
  expect_page web database
}

@test "compose: all of it comes back with dockerd and cnmd" {
  docker_down KILL
  cnmd_down KILL
  cnmd_up
  docker_up
  wait_for 60 expect_page proxy web database
  wait_for 60 expect_page web database
  expect "page" "$PAGE" "$(fetch $HERE http://198.51.100.254:8080/)"
}

@test "compose: down, and up and down again, leave nothing" {
  down
  wait_for 60 expect_nothing_left
  expect "rules" "" "$(our_rules)"
  up
  wait_for 60 expect_page proxy web
  down
  wait_for 60 expect_nothing_left
  expect "pools" "" "$(jq -r '.table.pools[].id' /var/lib/cnm/pools/LocalDefault.json)"
}
