#!/usr/bin/env bats
# three_runtimes.bats: a Docker container, a podman container and a CRI pod on one network.
load ../support/e2e
load ../support/podman
load ../support/docker/docker

# The plugin firewall accepts what is podman's and the pod's where dockerd's policy of FORWARD, DROP, would not.
setup_file() {
  ours || skip "cnmd is cnm's"
  cat > /etc/cni/net.d/10-blue.conflist << END
{"cniVersion": "1.0.0", "name": "blue", "plugins": [
  {"type": "bridge", "bridge": "br-blue", "isGateway": true, "ipMasq": true,
   "ipam": {"type": "host-local", "ranges": [[{"subnet": "10.80.0.0/24"}]], "routes": [{"dst": "0.0.0.0/0"}]}},
  {"type": "firewall"}]}
END
  outside_up 198.51.100.1/24 198.51.100.254/24
  cnmd_up
  docker_up
  podman images > /dev/null # makes the image
  load_image
  "$SUPPORT/containerd/start.sh"
  podman run --rm --network blue "$IMAGE" true
}

setup() { NETWORK=blue pods=(); }

teardown() {
  local pod
  for pod in "${pods[@]}"; do
    cri stop-pod "$pod" && cri remove-pod "$pod"
  done
  remove_all
  remove_containers
  remove_networks
}

# tie: the Docker network of the cnm network blue
tie() {
  make_network blue 10.80.0.0/24 --gateway 10.80.0.1 --opt cnm.network=blue --ipam-opt cnm.network=blue
}

# start_three: sets $of_docker, $of_podman and $of_pod, their addresses, and $container, the pod's
start_three() {
  docker_start d1 blue
  start p1
  pod=$(cri run-pod c1)
  pods+=("$pod")
  container=$(cri run "$pod" "$IMAGE" sleep infinity)
  of_docker=$(docker_address d1 blue)
  of_podman=$(address_of p1)
  of_pod=$(cri pod-addresses "$pod" | head -n 1)
}

@test "three runtimes: they reach one another, and share no address" {
  tie
  start_three
  expect "addresses" 3 "$(printf '%s\n' "$of_docker" "$of_podman" "$of_pod" | sort -u | wc -l)"
  docker exec d1 ping -c 1 -W 5 "$of_podman"
  docker exec d1 ping -c 1 -W 5 "$of_pod"
  podman exec p1 ping -c 1 -W 5 "$of_docker"
  podman exec p1 ping -c 1 -W 5 "$of_pod"
  cri exec "$container" ping -c 1 -W 5 "$of_docker"
  cri exec "$container" ping -c 1 -W 5 "$of_podman"
  docker exec d1 ping -c 1 -W 5 198.51.100.1
}

@test "three runtimes: cnmctl endpoint ls shows all with their runtime" {
  tie
  start_three
  local listed
  listed=$(cnmctl endpoint ls --network blue --json)
  expect "endpoints" 3 "$(jq length <<< "$listed")"
  expect "runtimes" 3 "$(jq -r '.[].runtime' <<< "$listed" | sort -u | wc -l)"
  jq -r '.[].runtime' <<< "$listed" | grep -q docker
  jq -r '.[].runtime' <<< "$listed" | grep -q podman
  jq -r '.[].runtime' <<< "$listed" | grep -q containerd
  expect "Docker's container" "d1 $(docker inspect --format '{{.Id}}' d1)" \
    "$(jq -r '.[] | select(.door == "docker") | "\(.name) \(.containerID)"' <<< "$listed")"
  local id
  id=$(docker network inspect --format '{{.Id}}' blue)
  expect "by Docker's id" blue "$(cnmctl network inspect "${id:0:10}" --json | jq -r .name)"
  run cnmctl network rm blue
  [[ $status = 1 && $output == *"is Docker's, not cnmd's; docker network rm ${id:0:12}"* ]] || fail "$output"
  [[ $(cnmctl log --network blue --tail 0) == *join*docker*blue* ]]
}

@test "three runtimes: a tied network has the subnet of the network, and no other" {
  tie
  run make_network second 10.99.0.0/24 --opt cnm.network=blue --ipam-opt cnm.network=blue
  [ "$status" -ne 0 ]
  [[ $output == *"subnet 10.99.0.0/24 is not network blue's, which has 10.80.0.0/24"* ]] || fail "$output"
}

@test "three runtimes: an address one holds is refused to the others" {
  tie
  start p1 --ip 10.80.0.50
  run docker_start d1 blue --ip 10.80.0.50
  [ "$status" -ne 0 ]
  docker_start d2 blue --ip 10.80.0.51
  run start p2 --ip 10.80.0.51
  [ "$status" -ne 0 ]
  podman exec p1 ping -c 1 -W 5 10.80.0.51
}

@test "three runtimes: what one removes, the others keep" {
  tie
  start_three
  remove_containers
  docker network rm blue
  podman exec p1 ping -c 1 -W 5 "$of_pod"
  podman exec p1 ping -c 1 -W 5 10.80.0.1
  expect "leases" "$(printf '%s\n' "$of_podman" "$of_pod" | sort)" "$(leases blue | grep -vx 10.80.0.1)"
  tie
  docker_start d3 blue
  docker exec d3 ping -c 1 -W 5 "$of_podman"
}

@test "three runtimes: a docker network that overlaps it without the option is refused" {
  run make_network other 10.80.0.0/24
  [ "$status" -ne 0 ]
  [[ $output == *cnm.network=blue* ]]
}

@test "three runtimes: nothing is left" {
  tie
  start_three
  cri stop-pod "$pod" && cri remove-pod "$pod"
  pods=()
  remove_all
  remove_containers
  remove_networks
  expect "leases" "" "$(leases blue)"
  expect "veth links" "" "$(links $HERE | grep '^veth')"
  expect "endpoint records" 0 "$(cnmctl endpoint ls --json | jq length)"
}

@test "three runtimes: a network of cnmctl is the one that CNI calls by its name" {
  cat > /etc/cni/net.d/20-olive.conflist << END
{"cniVersion": "1.0.0", "name": "olive", "plugins": [
  {"type": "bridge", "bridge": "br-olive", "isGateway": true, "ipMasq": true,
   "ipam": {"type": "host-local", "ranges": [[{"subnet": "10.81.0.0/24"}]], "routes": [{"dst": "0.0.0.0/0"}]}}]}
END
  cnmctl network create olive --subnet 10.81.0.0/24 --opt com.docker.network.bridge.name=br-olive
  cnmctl service publish web.olive
  start p1 --network olive
  cnmctl service publish db.olive
  expect "leases" 4 "$(find /var/lib/cni/networks/olive -name '10.81.0.*' | wc -l)" # the gateway's too
  expect "holders" 3 "$(cnmctl endpoint ls --network olive --json | jq -r '.[].addresses[]' | sort -u | wc -l)"
  podman exec p1 ping -c 1 -W 5 10.81.0.1
  remove_all
  cnmctl service unpublish web.olive
  cnmctl service unpublish db.olive
  cnmctl network rm olive
  rm /etc/cni/net.d/20-olive.conflist
}
