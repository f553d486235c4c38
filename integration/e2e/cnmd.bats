#!/usr/bin/env bats
# cnmd.bats: the daemon as a service: its sockets, its start and end, what it says to systemd.
load ../support/e2e
load ../support/docker/docker

readonly API=/run/cnm/cnmd.sock DOCKER=/run/docker/plugins/cnm.sock

setup_file() {
  ours || skip "cnmd is cnm's"
  private_dir /etc
  ! getent group cnm > /dev/null || groupdel cnm # this machine may have the package
}

teardown() {
  [ ! -e $CNMD_PID ] || { kill -s KILL "$(cat $CNMD_PID)" 2> /dev/null || true; }
  rm -rf $CNMD_PID $API $DOCKER
}

# ask SOCKET METHOD [BODY]: what the plugin answers
ask() { curl --silent --unix-socket "$1" --data "${3-}" "http://cnm/$2"; }

@test "cnmd: serves both sockets, each to whom it is for, and removes them at the end" {
  cnmd_up
  expect "mode for docker" 600 "$(stat --format %a $DOCKER)"
  expect "mode for REST" 600 "$(stat --format %a $API)" # there is no group cnm
  expect "activation" '{"Implements":["NetworkDriver","IpamDriver"]}' "$(ask $DOCKER Plugin.Activate)"
  expect "networks" '[]' "$(curl --silent --unix-socket $API http://cnm/networks)"
  cnmd_down TERM
  [ ! -e $API ]
  [ ! -e $DOCKER ]
}

@test "cnmd: a second one is refused, and the first goes on" {
  cnmd_up
  run "$CNM_PLUGINS/cnmd"
  expect "exit status" 1 "$status"
  [[ $output == *"another process listens there"* ]]
  expect "networks" '[]' "$(curl --silent --unix-socket $API http://cnm/networks)"
}

@test "cnmd: starts again over what a killed one left" {
  cnmd_up
  cnmd_down KILL
  [ -S $API ]
  cnmd_up
}

@test "cnmd: stops in time though a plugin does not answer" {
  mkdir -p /run/docker/plugins
  python3 -c 'import socket, time
server = socket.socket(socket.AF_UNIX)
server.bind("/run/docker/plugins/silent.sock")
server.listen(8)
asked = server.accept()
open("/run/e2e/asked", "w").close()
time.sleep(1000)' 3>&- 4>&- &
  servers+=($!)
  wait_for 10 test -S /run/docker/plugins/silent.sock
  cnmd_up
  curl --silent --unix-socket $API --data '{"name": "n", "network_type": "silent"}' http://cnm/networks 3>&- 4>&- &
  servers+=($!)
  wait_for 10 test -e /run/e2e/asked
  cnmd_down TERM
  stop_servers
  rm /run/docker/plugins/silent.sock
  cnmd_up
  expect "networks" '[]' "$(curl --silent --unix-socket $API http://cnm/networks)"
}

@test "cnmd: tells systemd when it is ready and when it stops" {
  python3 -c 'import socket
server = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
server.bind("/run/e2e/notify")
server.settimeout(30)
with open("/run/e2e/notified", "w", buffering=1) as log:
    for _ in range(2): log.write(server.recv(200).decode() + "\n")' 3>&- 4>&- &
  servers+=($!)
  wait_for 60 test -S /run/e2e/notify
  NOTIFY_SOCKET=/run/e2e/notify cnmd_up
  wait_for 60 grep -x READY=1 /run/e2e/notified
  cnmd_down TERM
  wait_for 60 grep -x STOPPING=1 /run/e2e/notified
  stop_servers
}

@test "cnmd: is started by a connection to its socket, and leaves it to systemd" {
  mkdir -p /run/docker/plugins
  systemd-socket-activate --listen $DOCKER --fdname docker "$CNM_PLUGINS/cnmd" < /dev/null >> $CNMD_LOG 2>&1 3>&- 4>&- &
  echo $! > $CNMD_PID # it becomes cnmd
  wait_for 60 test -S $DOCKER
  expect "activation" '{"Implements":["NetworkDriver","IpamDriver"]}' "$(ask $DOCKER Plugin.Activate)"
  cnmd_down TERM
  [ -S $DOCKER ]
  [ ! -e $API ]
}

@test "cnmd: listens on loopback alone, and not to web pages" {
  run "$CNM_PLUGINS/cnmd" --listen 0.0.0.0:2385
  expect "exit status" 1 "$status"
  [[ $output == *"not a loopback address"* ]]
  cnmd_up --listen 127.0.0.1:2385
  expect "status" 200 "$(curl --silent --output /dev/null --write-out '%{http_code}' http://127.0.0.1:2385/networks)"
  expect "status for a page" 403 "$(curl --silent --output /dev/null --write-out '%{http_code}' \
    --header 'Origin: http://example.com' http://127.0.0.1:2385/networks)"
}

@test "cnmd: reads its configuration and says what is wrong" {
  mkdir -p /run/e2e/conf
  printf '[daemon]\ndebgu = true\n' > /run/e2e/conf/cnmd.toml
  run "$CNM_PLUGINS/cnmd" --check --config /run/e2e/conf/cnmd.toml
  expect "exit status" 0 "$status"
  [[ $output == *"line 2: daemon.debgu: unknown, did you mean daemon.debug?"* ]]
  printf '[globalstore.client]\nprovider = "etcd"\n' > /run/e2e/conf/cnmd.toml
  run "$CNM_PLUGINS/cnmd" --check --config /run/e2e/conf/cnmd.toml
  expect "exit status" 1 "$status"
  [[ $output == *"multi-host is not in this release"* ]]
  run "$CNM_PLUGINS/cnmd" --check stray
  [ "$status" -ne 0 ]
}

# switches PID: how often it was put on a processor because something happened
switches() { awk '/^voluntary_ctxt_switches/ {sum += $2} END {print sum}' /proc/"$1"/task/*/status; }

@test "cnmd: idle, it never wakes up" {
  cnmd_up
  local pid before
  pid=$(cat $CNMD_PID)
  # Nothing can be waited for here but time: 3 s without a change, within 20 s of the start.
  local deadline=$((SECONDS + 20))
  while :; do
    before=$(switches "$pid")
    read -r -t 3 < <(tail -f /dev/null) || true
    [ "$(switches "$pid")" != "$before" ] || break
    [ $SECONDS -lt $deadline ] || fail "still waking up"
  done
}

@test "cnmd: stands what no proper client sends" {
  printf '[limits]\nrequest_seconds = 5\nconnections = 64\n' > /run/e2e/small.toml
  cnmd_up --config /run/e2e/small.toml
  "$SUPPORT/bad_http.py" $API $DOCKER "$(cat $CNMD_PID)"
}
