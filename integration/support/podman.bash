# podman.bash: what a user does with podman, for the suites that differ in the network only (`load ../support/podman`).
# A suite sets NETWORK, and SECOND for a network to connect to and disconnect from, in its setup().

# start NAME ARGS...: a container that sleeps, on $NETWORK unless ARGS say --network.
start() {
  local name=$1
  shift
  [[ " $* " == *" --network "* ]] || set -- --network "$NETWORK" "$@"
  podman run --detach --name "$name" "$@" "$IMAGE" > /dev/null
}

# start_web NAME ARGS...: a container on $NETWORK that serves /www on port 80; returns when it does.
start_web() {
  local name=$1
  shift
  podman run --detach --name "$name" --network "$NETWORK" "$@" "$IMAGE" httpd -f -p 80 -h /www > /dev/null
  wait_for_web "$name"
}
wait_for_web() { wait_for 60 fetch $HERE "http://$(address_of "$1")/"; }

# sandbox_of NAME: the path of its netns
sandbox_of() { podman inspect --format '{{.NetworkSettings.SandboxKey}}' "$1"; }

# address_of NAME [IFNAME]: its first IPv4 address, without the prefix length
address_of() { addresses "$(sandbox_of "$1")" "${2:-eth0}" | head -n 1 | cut -d/ -f1; }

remove_all() { podman rm --all --force --time 0 > /dev/null; }

# warm_up NETWORK...: one container's life on each network, so that bridges and table skeletons are there; the host as
# it is then is what every test has to restore.
warm_up() {
  local network
  for network; do
    podman run --rm --network "$network" "$IMAGE" true || return 1
  done
  host_state > "$BATS_FILE_TMPDIR/baseline"
}

check_container_is_set_up() {
  start one
  local sandbox address
  sandbox=$(sandbox_of one)
  address=$(address_of one)
  expect "links" eth0 "$(links "$sandbox")"
  expect "leases" "$address" "$(leases "$NETWORK")"
  expect "podman's own view" "$address" \
    "$(podman inspect one | jq -r --arg net "$NETWORK" '.[0].NetworkSettings.Networks[$net].IPAddress')"
  podman exec one ping -c 1 -W 5 "$(default_gateway "$sandbox")"
}

check_two_containers_ping() {
  start one
  start two
  [ "$(address_of one)" != "$(address_of two)" ]
  podman exec one ping -c 1 -W 5 "$(address_of two)"
  podman exec two ping -c 1 -W 5 "$(address_of one)"
}

check_outside_is_reached() {
  start one
  podman exec one ping -c 1 -W 5 198.51.100.1
}

# check_asked_for_address_and_mac ADDRESS/PREFIX
check_asked_for_address_and_mac() {
  start one --ip "${1%/*}" --mac-address 02:00:00:00:00:33
  expect "address" "$1" "$(addresses "$(sandbox_of one)" eth0)"
  expect "MAC" 02:00:00:00:00:33 "$(mac "$(sandbox_of one)" eth0)"
  podman exec one ping -c 1 -W 5 "$(default_gateway "$(sandbox_of one)")"
}

# check_taken_address_is_refused ADDRESS: and the first container goes on.
check_taken_address_is_refused() {
  start one --ip "$1"
  run start two --ip "$1"
  [ "$status" -ne 0 ]
  [[ $output == *"requested IP address $1 is not available"* ]]
  podman rm --force --time 0 two
  expect "leases" "$1" "$(leases "$NETWORK")"
  podman exec one ping -c 1 -W 5 "$(default_gateway "$(sandbox_of one)")"
}

check_connect_and_disconnect() {
  start one
  start two --network "$SECOND"
  podman network connect "$SECOND" one
  expect "links" "eth0 eth1" "$(links "$(sandbox_of one)" | xargs)"
  podman exec one ping -c 1 -W 5 -I eth1 "$(address_of two)"
  podman network disconnect "$SECOND" one
  expect "links" eth0 "$(links "$(sandbox_of one)")"
  expect "leases of the second network" "$(address_of two)" "$(leases "$SECOND")"
  podman exec one ping -c 1 -W 5 "$(default_gateway "$(sandbox_of one)")"
}

check_restart_keeps_working() {
  start one
  podman restart --time 0 one > /dev/null
  expect "leases" "$(address_of one)" "$(leases "$NETWORK")"
  podman exec one ping -c 1 -W 5 "$(default_gateway "$(sandbox_of one)")"
}
