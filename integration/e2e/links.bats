#!/usr/bin/env bats
# links.bats: endpoints of a network whose endpoints do not reach one another, linked through the REST API.
load ../support/e2e
load ../support/docker/docker

setup() {
  ours || skip "cnmd is cnm's"
  cnmd_up
}

teardown() {
  stop_servers
  [ ! -e $CNMD_PID ] || end "$(cat $CNMD_PID)" KILL
}

# rest METHOD PATH [BODY]: the answer; fails unless it is a success
rest() { curl --silent --show-error --fail-with-body --unix-socket /run/cnm/cnmd.sock --request "$1" ${3:+--data "$3"} "http://cnm$2"; }

# make ARGS...: the id of what `rest POST` made
make() { rest POST "$@" | jq -r .; }

# joined ENDPOINT CONTAINER [LINKS]: the netns of a new sandbox that has joined
joined() {
  local sandbox links=${3-}
  sandbox=$(make /sandboxes "{\"container_id\": \"$2\", \"options\": {\"com.docker.network.generic\": ${links:-null}}}")
  make "/networks/$network/endpoints/$1/sandboxes" "{\"sandbox_id\": \"$sandbox\"}"
}

# endpoint NAME [PORTS]: its id
endpoint() { make "/networks/$network/endpoints" "{\"name\": \"$1\", \"exposed_ports\": ${2:-[]}}"; }

address() { rest GET "/networks/$network/endpoints/$1/details" | jq -r .address | cut -d / -f 1; }

# serve NETNS PORT: pages, until the test ends
serve() {
  mkdir -p /run/e2e/www
  echo page > /run/e2e/www/index.html
  nsenter --net="$1" python3 -m http.server --directory /run/e2e/www "$2" > /run/e2e/serve.log 2>&1 3>&- 4>&- &
  servers+=($!)
  wait_for 60 nsenter --net="$1" curl --silent --fail "http://127.0.0.1:$2/"
}

# page NETNS ADDRESS [SECONDS]: what is served there; SECONDS where nobody is to answer
page() { nsenter --net="$1" curl --silent --fail --max-time "${3:-20}" "http://$2/"; }

@test "links: a parent reaches the exposed port of its child, through kill, reload and restart, until it leaves" {
  network=$(make /networks '{"name": "closed", "network_type": "bridge", "options": {"com.docker.network.generic":
    {"BridgeName": "closed0", "EnableICC": "false"}}}')
  child=$(endpoint child '[{"Proto": 6, "Port": 80}]')
  child_netns=$(joined "$child" c1)
  web=$(address "$child")
  serve "$child_netns" 80
  serve "$child_netns" 81
  parent=$(endpoint parent)
  parent_netns=$(joined "$parent" c2 "{\"ChildEndpoints\": [\"$child\"]}")
  stranger_netns=$(joined "$(endpoint stranger)" c3)
  for event in start kill reload; do
    case $event in
      kill) cnmd_down KILL && cnmd_up ;;
      reload)
        nft flush ruleset
        expect "page for a stranger without rules" page "$(page "$stranger_netns" "$web:80")"
        cnmctl reload > /dev/null
        ;;
    esac
    expect "page after $event" page "$(page "$parent_netns" "$web:80")"
    run ! page "$parent_netns" "$web:81" 2
    run ! page "$stranger_netns" "$web:80" 2
  done
  [[ $(cnmctl firewall) == *"passage $(address "$parent") -> $web:80/tcp"* ]]
  rest DELETE "/networks/$network/endpoints/$parent/sandboxes/$(rest GET /sandboxes?container-id=c2 | jq -r '.[0].id')"
  [[ $(cnmctl firewall) != *passage* ]]
}

@test "links: an endpoint that is not known is refused, and the sandbox stays out" {
  network=$(make /networks '{"name": "shut", "network_type": "bridge", "options": {"com.docker.network.generic":
    {"BridgeName": "shut0", "EnableICC": "false"}}}')
  lonely=$(endpoint lonely)
  sandbox=$(make /sandboxes '{"container_id": "c9", "options": {"com.docker.network.generic": {"ParentEndpoints": ["nobody"]}}}')
  run rest POST "/networks/$network/endpoints/$lonely/sandboxes" "{\"sandbox_id\": \"$sandbox\"}"
  [[ $output == *"invalid endpoint id: nobody"* ]] || fail "said: $output"
  expect "sandbox" "" "$(rest GET "/services/$lonely/backend" | jq -r .id)"
}
