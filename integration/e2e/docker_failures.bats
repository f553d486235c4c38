#!/usr/bin/env bats
# docker_failures.bats: what goes wrong between an unmodified Docker Engine and cnmd, and what is left then: nothing.
load ../support/e2e
load ../support/docker/docker

setup_file() { docker_and_cnmd_up; }

teardown() { leave_nothing; }

# expect_network_alone NETWORK GATEWAY: of its containers nothing is left, it itself is.
expect_network_alone() {
  expect "endpoint records" 0 "$(cnmctl endpoint ls --json | jq length)" || return 1
  expect "veth links" "" "$(links $HERE | grep '^veth')" || return 1
  expect "leases" "$2" "$(our_leases)" || return 1
  # The bridge's own isolation stays with it.
  expect "rules" "" "$(our_rules | grep --invert-match '^"bridge br-')" || return 1
  docker network inspect "$1" > /dev/null
}

@test "docker failures: a container that ended while cnmd was away is gone when it is back" {
  make_network blue 10.80.0.0/24
  docker_web one blue --publish 8080:80
  cnmd_down KILL
  docker kill one > /dev/null || true # dockerd tries each call for 15 s, then forgets the endpoint
  wait_for 90 docker rm --force one
  expect "endpoint records" 1 "$(cnmctl endpoint ls --json | jq length)"
  cnmd_up
  wait_for 60 expect_network_alone blue 10.80.0.1
  docker_start two blue
  expect "address" 10.80.0.3 "$(docker_address two blue)"
}

@test "docker failures: a network that Docker forgot while cnmd was away is removed by cnmctl" {
  local id
  make_network blue 10.80.0.0/24
  id=$(docker network inspect --format '{{.Id}}' blue)
  cnmd_down KILL
  wait_for 90 docker network rm blue # dockerd tries each call for 15 s, then forgets the network
  run ! docker network inspect blue
  cnmd_up
  expect "networks" "docker-${id:0:12} docker" "$(cnmctl network ls --json | jq -r '.[] | "\(.name) \(.doors[].door)"')"
  run ! cnmctl network rm "docker-${id:0:12}"
  [[ $output == *"docker network rm ${id:0:12}"*"--force"* ]]
  run -0 cnmctl network rm --force "${id:0:12}"
  expect_nothing_left
  expect "networks" "[]" "$(cnmctl network ls --json)"
  make_network blue 10.80.0.0/24 # name and subnet are free
}
