#!/usr/bin/env bats
# systemd.bats: cnm's units under a real systemd: they start the daemon when somebody asks, put it up again when it is
# killed, and what they forbid it does not keep it from its work.
load ../support/e2e
load ../support/systemd/systemd

readonly API=/run/cnm/cnmd.sock DOCKER=/run/docker/plugins/cnm.sock
readonly PACKAGING=$BATS_TEST_DIRNAME/../../packaging/systemd

setup_file() {
  ours || skip "cnmd is cnm's"
  install_units
  systemd_up
}

teardown_file() { [ ! -e /run/e2e/systemd.pid ] || kill -s KILL "$(cat /run/e2e/systemd.pid)" || true; }

# rest PATH [BODY]
rest() { on_host curl --silent --show-error --unix-socket $API ${2+--data "$2"} "http://cnm$1"; }

# as_nobody GROUP: asks the REST API as a user who has only that group
as_nobody() {
  on_host setpriv --reuid nobody --regid "$1" --clear-groups curl --silent --fail --unix-socket $API http://cnm/networks
}

@test "systemd: asking starts the daemon, root and the group cnm, and nobody else" {
  expect "state before" inactive "$(property ActiveState)"
  run ! as_nobody nogroup
  expect "state after nobody asked" inactive "$(property ActiveState)"
  expect "networks for the group" '[]' "$(as_nobody cnm)"
  expect "state after" active "$(property ActiveState)" # which of Type=notify it is when it has said READY=1
  expect "networks for root" '[]' "$(rest /networks)"
  expect "mode of the records' directory" "710 root cnm" "$(stat --format '%a %U %G' /run/cnm)"
}

@test "systemd: asking as Docker does starts it, too, and only root may" {
  on_host systemctl stop cnmd.service
  expect "mode" "600 root" "$(on_host stat --format '%a %U' $DOCKER)"
  expect "activation" '{"Implements":["NetworkDriver","IpamDriver"]}' \
    "$(on_host curl --silent --unix-socket $DOCKER --data '' http://cnm/Plugin.Activate)"
  expect "state" active "$(property ActiveState)"
}

# make_service NAME PORT: on the network blue with a published port, and a container attached; prints its namespace's path
make_service() {
  local service sandbox
  service=$(rest /services "{\"name\": \"$1\", \"network_name\": \"blue\",
    \"port_mapping\": [{\"Proto\": 6, \"Port\": 80, \"HostPort\": $2}]}" | jq -r .)
  sandbox=$(rest /sandboxes "{\"container_id\": \"$1\"}" | jq -r .)
  rest "/services/$service/backend" "{\"sandbox_id\": \"$sandbox\"}" | jq -r .
}

# page: what is published, from outside of the host
page() { fetch $OUTSIDE http://198.51.100.1:8080; }

@test "systemd: a network, a container's namespace and a published port, all for others to see" {
  outside_up 198.51.100.2/24 198.51.100.1/24
  # Another one's firewall: the exception for our traffic is made by programs that the daemon starts.
  on_host iptables -P FORWARD DROP
  rest /networks '{"name": "blue", "ipv4_configuration": [{"PreferredPool": "10.71.0.0/24"}]}'
  local key
  key=$(make_service web 8080)
  # In the host's mount namespace, not only in the daemon's.
  expect "kind of file" nsfs "$(on_host findmnt --noheadings --output FSTYPE "$(readlink -f "$key")")"
  expect "address" 10.71.0.2/24 "$(on_host nsenter --net="$key" ip -j address show dev eth0 |
    jq -r '.[0].addr_info[] | select(.family == "inet") | "\(.local)/\(.prefixlen)"')"
  serve_tcp "$(host_path "$key")" 80 page
  wait_for 60 page
  nft list ruleset | grep -q 'comment ".* blue"'
  expect "warnings" "" "$(cat $CNMD_LOG)"

  # Killed, it comes again, and with it what it had; the container did not notice.
  local before after
  before=$(property MainPID)
  on_host systemctl kill --signal KILL cnmd.service
  expect "page meanwhile" page "$(page)"
  restarted() { after=$(property MainPID) && [ "$after" != 0 ] && [ "$after" != "$before" ] && settled; }
  wait_for 60 restarted
  expect "restarts" 1 "$(property NRestarts)"
  expect "networks" blue "$(rest /networks | jq -r '.[].name')"
  expect "backend" web "$(rest "/services/$(rest /services | jq -r '.[0].id')/backend" | jq -r .container_id)"
  expect "page afterwards" page "$(page)"

  stop_servers
  on_host curl --silent --fail --unix-socket $API --request DELETE --data '{"name": "web", "force": true}' \
    "http://cnm/services/$(rest /services | jq -r '.[0].id')"
  on_host curl --silent --fail --unix-socket $API --request DELETE "http://cnm/sandboxes/$(rest /sandboxes | jq -r '.[0].id')"
  on_host curl --silent --fail --unix-socket $API --request DELETE "http://cnm/networks/$(rest /networks | jq -r '.[0].id')"
  on_host test ! -e "$key"
  expect "links" "" "$(links $HERE | grep -E '^(blue|veth)')"
}

@test "systemd: stopped, it ends well and its sockets go on listening" {
  rest /networks
  on_host systemctl stop cnmd.service
  expect "result" "success" "$(property Result)"
  expect "exit status" 0 "$(property ExecMainStatus)"
  expect "state" inactive "$(property ActiveState)"
  expect "networks of the next" '[]' "$(rest /networks)"
  expect "state" active "$(property ActiveState)"
}

@test "systemd: nothing is wrong with the units, and they stay as closed as they are" {
  run -0 systemd-analyze verify "$PACKAGING"/cnmd.service "$PACKAGING"/cnmd.socket "$PACKAGING"/cnmd-docker.socket
  expect "complaints" "" "$(grep -F cnmd <<< "$output")"
  run -0 systemd-analyze security --offline=true --threshold=53 "$PACKAGING"/cnmd.service
}
