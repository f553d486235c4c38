# docker.bash: dockerd with cnmd as its network and IPAM driver, for the suites that use it (`load ../support/docker/docker`).
# Start them with cnmd_up and docker_up; both may be killed and started again at any time.
readonly CNMD_LOG=/run/e2e/cnmd.log
readonly DOCKER_PID=/run/e2e/docker/pid
readonly CNMD_PID=/run/e2e/cnmd.pid

# Debian's client: another one in PATH may be too new for Debian's dockerd.
readonly DOCKER_CLI=/usr/bin/docker

docker() { $DOCKER_CLI --host unix:///run/docker.sock "$@" 3>&- 4>&-; }

# cnmd_up ARGS...: the daemon in the background; returns when it answers.
cnmd_up() {
  setsid "$CNM_PLUGINS/cnmd" "$@" < /dev/null >> $CNMD_LOG 2>&1 3>&- 4>&- &
  echo $! > $CNMD_PID
  wait_for 60 curl --silent --fail --unix-socket /run/cnm/cnmd.sock http://cnm/networks
}

# cnmd_down [SIGNAL]
cnmd_down() { end "$(cat $CNMD_PID)" "${1:-TERM}"; }

# docker_up: dockerd; what it knew before docker_down, it still knows.
docker_up() { "$SUPPORT/docker/start.sh"; }
docker_down() { end "$(cat $DOCKER_PID)" "${1:-TERM}" && rm -f $DOCKER_PID; }

# end PID SIGNAL: returns when the process is gone.
end() {
  kill -s "$2" "$1"
  wait_for 60 gone "$1"
}
gone() { [ ! -d "/proc/$1" ] || grep -q '^State:.Z' "/proc/$1/status"; }

load_image() {
  [ -e /run/e2e/image.tar ] || "$SUPPORT/image.py" /run/e2e/image.tar
  docker load --input /run/e2e/image.tar > /dev/null
}

# make_network NAME SUBNET ARGS...: through our driver and our IPAM
make_network() {
  local name=$1 subnet=$2
  shift 2
  docker network create --driver cnm --ipam-driver cnm --subnet "$subnet" "$@" "$name" > /dev/null
}

# docker_start NAME NETWORK ARGS...: a container that sleeps
docker_start() {
  local name=$1 network=$2
  shift 2
  docker run --detach --cgroup-parent /cnm-e2e --name "$name" --network "$network" "$@" "$IMAGE" sleep 1000000 > /dev/null
}

# docker_web NAME NETWORK ARGS...: a container that serves /www on port 80
docker_web() {
  local name=$1 network=$2
  shift 2
  docker run --detach --cgroup-parent /cnm-e2e --name "$name" --network "$network" "$@" "$IMAGE" httpd -f -p 80 -h /www \
    > /dev/null
  wait_for 60 fetch $HERE "http://$(docker_address "$name" "$network")/"
}

# docker_address NAME NETWORK: what Docker says its address is
docker_address() {
  docker inspect "$1" | jq -r --arg network "$2" '.[0].NetworkSettings.Networks[$network].IPAddress'
}

# docker_netns NAME: the path of its netns
docker_netns() { echo "/proc/$(docker inspect --format '{{.State.Pid}}' "$1")/ns/net"; }

remove_containers() { docker ps --quiet --all | xargs -r $DOCKER_CLI --host unix:///run/docker.sock rm --force > /dev/null; }

# remove_networks: all that are ours
remove_networks() {
  docker network ls --quiet --filter driver=cnm | xargs -r $DOCKER_CLI --host unix:///run/docker.sock network rm > /dev/null
}

# docker_and_cnmd_up: what a suite on both begins with
docker_and_cnmd_up() {
  ours || skip "cnmd is cnm's"
  cnmd_up
  docker_up
  load_image
}

# leave_nothing: what a test of such a suite ends with, also one that ended cnmd
leave_nothing() {
  gone "$(cat $CNMD_PID)" && cnmd_up
  stop_servers
  remove_containers
  remove_networks
}

# our_leases: every lease of every network, sorted
our_leases() {
  local network
  for network in "$LEASES"/*/; do
    [ ! -d "$network" ] || leases "$(basename "$network")"
  done | sort
}

# our_rules: what names an owner of ours in nftables: elements and rules with a comment
our_rules() {
  nft -j list ruleset | jq -c '.nftables[] | .. | objects | select(has("comment")) | .comment' | sort
}

# expect_nothing_left: after all containers and networks are removed
expect_nothing_left() {
  expect "leases" "" "$(our_leases)" || return 1
  expect "veth links" "" "$(links $HERE | grep '^veth')" || return 1
  expect "bridges" "" "$(links $HERE | grep '^br-')" || return 1
  expect "endpoint records" 0 "$(cnmctl endpoint ls --json | jq length)" || return 1
  expect "network records" "" "$(ls /var/lib/cnm/bridge-networks 2> /dev/null | grep '\.json$')" || return 1
}
