#!/usr/bin/env bats
# docker_methods.bats: every method of the plugin protocol fails once between an unmodified Docker Engine and cnmd: whatever
# the command came to, Docker can remove what it knows, and then nothing is left.
load ../support/e2e
load ../support/docker/docker

readonly FAULT=/run/e2e/fault BEHIND=/run/e2e/cnmd-docker.sock FRONT=/run/docker/plugins/cnm.sock

# In the order of the calls.
readonly METHODS="NetworkDriver.CreateNetwork NetworkDriver.CreateEndpoint NetworkDriver.Join
  NetworkDriver.ProgramExternalConnectivity NetworkDriver.EndpointOperInfo NetworkDriver.RevokeExternalConnectivity
  NetworkDriver.Leave NetworkDriver.DeleteEndpoint NetworkDriver.DeleteNetwork IpamDriver.RequestAddress
  IpamDriver.RequestAddress/2 IpamDriver.ReleaseAddress IpamDriver.ReleaseAddress/2 IpamDriver.ReleasePool
  IpamDriver.RequestPool"

setup_file() {
  ours || skip "cnmd is cnm's"
  cnmd_up --docker-socket $BEHIND
  mkdir -p "$(dirname $FRONT)"
  "$SUPPORT/docker/fault_proxy.py" $FRONT $BEHIND $FAULT < /dev/null > /run/e2e/proxy.log 2>&1 3>&- 4>&- &
  wait_for 60 test -S $FRONT
  docker_up
  load_image
}

# pools: those that our IPAM driver counts as used
pools() { jq -r '.table.pools[].id' /var/lib/cnm/pools/LocalDefault.json; }

# forgotten: the pools of which cnmd knows that docker has forgotten them, or will know when nothing comes for minutes
forgotten() { jq -r '[.open[].pool, .deleted[].pools[]] | unique | .[]' /var/lib/cnm/docker/pools.json; }

# story SUBNET: a network's and a container's life; any step may fail.
story() {
  make_network blue "$1" || true
  docker_start one blue --publish 8080:80 || true
  docker rm --force one > /dev/null || true
  docker network rm blue > /dev/null || true
}

# whole_story SUBNET: the same, and no step may fail.
whole_story() {
  make_network blue "$1"
  docker_start one blue --publish 8080:80
  docker rm --force one > /dev/null
  docker network rm blue > /dev/null
}

expect_all_gone() {
  expect_nothing_left || return 1
  expect "rules" "" "$(our_rules)" || return 1
  expect "pools" "$(forgotten)" "$(pools)"
}

# fails METHOD[/N] MODE: the story with the N-th call of METHOD failing
fails() {
  local method=${1%/*} number=1 subnet=10.80.0.0/24
  [ "$method" = "$1" ] || number=${1#*/}
  case $method/$2 in
    # Docker does not know that it has the pool, or forgets it: it is released after minutes, and in nobody's way till then.
    IpamDriver.RequestPool/deny | IpamDriver.ReleasePool/refuse) subnet=10.81.0.0/24 ;;
  esac
  rm -f $FAULT.hit
  echo "$method $2 $number" > $FAULT.new
  mv $FAULT.new $FAULT
  story $subnet > /run/e2e/story.log 2>&1
  [ -e $FAULT.hit ] || fail "$1 was not called"
  remove_containers
  remove_networks
  wait_for 60 expect_all_gone || { expect_all_gone || fail "after $1 $2"; }
}

each_fails() {
  local method
  for method in $METHODS; do
    # A pool that is requested twice from one cnmd is two networks': integration/fault kills it in between.
    [ "$method/$1" != IpamDriver.RequestPool/cut ] || continue
    fails "$method" "$1" || return 1
  done
  whole_story 10.80.0.0/24 # and all goes on as ever
  expect_all_gone
}

@test "docker methods: each is refused once" { each_fails refuse; }
@test "docker methods: each is done, and said to have failed" { each_fails deny; }
@test "docker methods: the answer of each is lost once, and docker repeats it" { each_fails cut; }

# The calls with which dockerd takes a plugin into use, once in its life.
@test "docker methods: a plugin whose activation failed is taken into use later" {
  local method
  for method in Plugin.Activate NetworkDriver.GetCapabilities IpamDriver.GetCapabilities IpamDriver.GetDefaultAddressSpaces; do
    docker_down
    docker_up
    fails $method refuse
    docker_down
    docker_up
    fails $method cut
  done
}
