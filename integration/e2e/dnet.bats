#!/usr/bin/env bats
# dnet.bats: scripts written for libnetwork's dnet: its integration cases on one node, the REST API as documented, and
# the story of the README.
load ../support/e2e

readonly DNET_PID=/run/e2e/dnet.pid DNET_LOG=/run/e2e/dnet.log PORT=41000
readonly API=http://127.0.0.1:$PORT

setup_file() {
  private_dir /usr/share # dnet -d announces its test driver there
  # The engine keeps containers' files in /var/lib/docker.
  cat > /run/e2e/dnet.toml << END
[daemon]
debug = false
[state]
files = "/run/e2e/files"
netns = "/run/e2e/netns"
END
}

teardown() {
  [ ! -e $DNET_PID ] || daemon_down
}

# daemon_up [ADDRESS]: dnet -d in the background; returns when it answers.
daemon_up() {
  local address=${1:-tcp://0.0.0.0:$PORT}
  setsid "$CNM_PLUGINS/dnet" -d -D -H "$address" -c /run/e2e/dnet.toml < /dev/null >> $DNET_LOG 2>&1 3>&- 4>&- &
  echo $! > $DNET_PID
  wait_for 60 curl --silent --fail "http://127.0.0.1:${address##*:}/networks" || { cat $DNET_LOG >&2; return 1; }
}

daemon_down() {
  kill "$(cat $DNET_PID)" 2> /dev/null || true
  wait_for 60 gone "$(cat $DNET_PID)"
  rm -f $DNET_PID
}
gone() { [ ! -d "/proc/$1" ] || grep -q '^State:.Z' "/proc/$1/status"; }

dnet() { DNET_HOST=tcp://127.0.0.1:$PORT "$CNM_PLUGINS/dnet" "$@"; }

# row NAME COMMAND...: the columns of the row whose second column is NAME, as scripts cut them
row() {
  local name=$1
  shift
  dnet "$@" | tr -s ' ' | awk -v name="$name" '$2 == name'
}
# second_line COLUMN: of service ls
second_line() { dnet service ls | sed -n 2p | tr -s ' ' | cut -d ' ' -f "$1"; }

@test "dnet: on a port of one's own" {
  daemon_up tcp://0.0.0.0:4567
  DNET_HOST='' "$CNM_PLUGINS/dnet" -H tcp://127.0.0.1:4567 network ls
}

@test "dnet: at another port than the daemon's there is nothing" {
  daemon_up tcp://0.0.0.0:4567
  run ! "$CNM_PLUGINS/dnet" -H tcp://127.0.0.1:4568 network ls
  [[ $output == "error when trying to connect: "* ]]
}

@test "dnet: flags that cannot be" {
  run ! "$CNM_PLUGINS/dnet" -H tcp://127.0.0.1:8080 network ls
  run ! "$CNM_PLUGINS/dnet" -H=unix://var/run/dnet.sock network ls
  expect "text" "dnet currently only supports tcp transport" "$output"
  run ! "$CNM_PLUGINS/dnet" -H= -l=invalid network ls
  expect "text" "Unable to parse logging level: invalid" "$output"
}

@test "dnet: a network is made, listed and removed" {
  daemon_up
  dnet network create -d test mh1
  expect "name and type" "mh1 test" "$(row mh1 network ls | cut -d ' ' -f 2,3)"
  dnet network rm mh1
  expect "row" "" "$(row mh1 network ls)"
}

@test "dnet: a network is removed by the id that create printed" {
  daemon_up
  dnet network rm "$(dnet network create -d test mh1)"
  expect "row" "" "$(row mh1 network ls)"
}

@test "dnet: a service is published and withdrawn" {
  daemon_up
  dnet network create -d test multihost
  dnet service publish svc1.multihost
  expect "name and network" "svc1 multihost" "$(second_line 2,3)"
  [[ $(dnet network info multihost) == *$'\tName: svc1' ]]
  dnet service unpublish svc1.multihost
  dnet network rm multihost
}

@test "dnet: a service is withdrawn by its id" {
  daemon_up
  dnet network create -d test multihost
  dnet service publish svc1.multihost
  dnet service unpublish "$(second_line 1).multihost"
  dnet network rm multihost
}

@test "dnet: a container is attached to a service and detached" {
  daemon_up
  dnet network create -d test multihost
  dnet service publish svc1.multihost
  dnet container create container_1
  dnet service attach container_1 svc1.multihost
  expect "container" container_1 "$(second_line 4)"
  dnet service detach container_1 svc1.multihost
  dnet container rm container_1
  dnet service unpublish svc1.multihost
  dnet network rm multihost
}

@test "dnet: three networks" {
  daemon_up
  local i
  for i in 1 2 3; do dnet network create -d test mh$i; done
  for i in 1 2 3; do expect "network $i" "mh$i test" "$(row mh$i network ls | cut -d ' ' -f 2,3)"; done
  for i in 1 2 3; do dnet network rm mh$i; done
}

# names ARGS...: of the networks that network ls shows, in its order
names() { dnet network ls "$@" | tail -n +2 | tr -s ' ' | cut -d ' ' -f 2 | paste -sd ' '; }

@test "dnet: the networks made last" {
  daemon_up
  local name
  for name in c a b; do dnet network create -d test $name; done
  expect "the latest" "b" "$(names -l)"
  expect "two" "b a" "$(names -n 2)"
  expect "two, as scripts write it" "b a" "$(names -n=2)"
  expect "all" "$(names)" "$(names -n -1)"
  expect "none" "" "$(names -n 0)"
  daemon_down
  daemon_up # it is recorded
  expect "the latest after a restart" "b a c" "$(names -n 3)"
  run -1 "$CNM_PLUGINS/dnet" network ls -n many
  expect "text" 'invalid value "many" for flag -n: want a number' "$output"
  for name in a b c; do dnet network rm $name; done
}

@test "dnet: three services on one network" {
  daemon_up
  dnet network create -d test multihost
  local i
  for i in 1 2 3; do dnet service publish svc$i.multihost; done
  for i in 1 2 3; do expect "service $i" "svc$i multihost" "$(row svc$i service ls | cut -d ' ' -f 2,3)"; done
  for i in 1 2 3; do dnet service unpublish svc$i.multihost; done
  dnet network rm multihost
}

@test "dnet: a service has one backend" {
  daemon_up
  dnet network create -d test multihost
  dnet service publish svc1.multihost
  local i
  for i in 1 2; do dnet container create container_$i; done
  dnet service attach container_1 svc1.multihost
  run ! dnet service attach container_2 svc1.multihost
  [[ $output == "error : a sandbox has already joined the service; container container_1 is attached: "* ]] || fail "$output"
  dnet service detach container_1 svc1.multihost
  dnet service attach container_2 svc1.multihost
  expect "container" container_2 "$(second_line 4)"
  dnet service unpublish -f svc1.multihost
  for i in 1 2; do dnet container rm container_$i; done
  dnet network rm multihost
}

@test "dnet: what is in use stays" {
  daemon_up
  dnet network create -d test multihost
  dnet service publish svc1.multihost
  dnet container create container_1
  dnet service attach container_1 svc1.multihost
  run ! dnet service unpublish svc1.multihost
  [[ $output == "error : service with name svc1 id "*" has active containers; container container_1 is attached: "* ]]
  run ! dnet network rm multihost
  [[ $output == "error : network with name multihost id "*" has active endpoints; remove svc1 first"* ]]
  dnet service detach container_1 svc1.multihost
  dnet container rm container_1
  dnet service unpublish svc1.multihost
  dnet network rm multihost
}

@test "dnet: exit codes and help" {
  run -0 "$CNM_PLUGINS/dnet"
  [[ $output == "Usage: dnet"* ]]
  run -0 "$CNM_PLUGINS/dnet" nonsense
  expect "text" "No help topic for 'nonsense'" "$output"
  run -0 "$CNM_PLUGINS/dnet" -x
  [[ $output == "Incorrect Usage."* ]]
  run -0 "$CNM_PLUGINS/dnet" network create --help
  run -1 "$CNM_PLUGINS/dnet" network create
  [[ $output == 'docker: "create" requires 1 argument.'* ]]
}

@test "the REST API does what its document says" {
  daemon_up
  "$SUPPORT/openapi_walk.py" "$BATS_TEST_DIRNAME/../../packaging/docs/openapi.json" 127.0.0.1:$PORT
}

@test "README: two containers on a bridge network reach each other, and are gone at the end" {
  daemon_up
  dnet network create -d bridge --subnet 10.70.0.0/24 blue
  local name key
  for name in web client; do
    dnet service publish $name.blue
    dnet container create $name-container
    dnet service attach $name-container $name.blue
  done
  key=$(curl --silent "$API/sandboxes?container-id=client-container" | jq -r '.[0].key')
  nsenter --net="$key" ping -c 1 -W 5 "$(addresses \
    "$(curl --silent "$API/sandboxes?container-id=web-container" | jq -r '.[0].key')" eth0 | cut -d / -f 1)"
  expect "bridge" blue "$(links $HERE | grep -x blue)"
  for name in web client; do
    dnet service detach $name-container $name.blue
    dnet container rm $name-container
    dnet service unpublish $name.blue
  done
  dnet network rm blue
  expect "links" "" "$(links $HERE | grep -E 'blue|veth')"
  [ ! -e "$key" ]
}
