#!/usr/bin/env bats
# libcni.bats: the library in every Go runtime: add, check, del, del again, in each configuration version it knows.
load ../support/e2e

# conflist VERSION: prints the path of a conflist of that cniVersion, for the network libcni-VERSION.
conflist() {
  local path=$BATS_FILE_TMPDIR/$1.conflist
  cat > "$path" << END
{"cniVersion": "$1", "name": "libcni-$1", "plugins": [
  {"type": "bridge", "bridge": "br-libcni", "isGateway": true, "ipMasq": true,
   "ipam": {"type": "host-local", "ranges": [[{"subnet": "10.66.0.0/24"}]], "routes": [{"dst": "0.0.0.0/0"}]}}]}
END
  echo "$path"
}

setup_file() {
  ip netns add one
  local version
  for version in 0.3.1 0.4.0 1.0.0; do
    libcni add "$(conflist $version)" warm-up /run/netns/one eth0 > /dev/null || return 1
    libcni del "$(conflist $version)" warm-up /run/netns/one eth0 || return 1
  done
  host_state > "$BATS_FILE_TMPDIR/baseline"
}

# A test that failed half-way must not make the next one fail.
teardown() {
  local id
  for id in c1 c2 c3; do
    libcni del "$(conflist 0.4.0)" $id /run/netns/one eth0
    libcni del "$(conflist 1.0.0)" $id /run/netns/one eth0
    libcni del "$(conflist 1.0.0)" $id /run/netns/one eth1
  done
}

# life VERSION: the whole life of an attachment; $BATS_TEST_TMPDIR/result is what add printed.
life() {
  local conf netns=/run/netns/one
  conf=$(conflist "$1")
  libcni validate "$conf" c1 $netns eth0
  libcni add "$conf" c1 $netns eth0 'IgnoreUnknown=1;K8S_POD_NAME=p' > "$BATS_TEST_TMPDIR/result"
  expect "cniVersion of the result" "$1" "$(jq -r .cniVersion "$BATS_TEST_TMPDIR/result")"
  expect "address" "$(jq -r '.ips[0].address' "$BATS_TEST_TMPDIR/result")" "$(addresses $netns eth0)"
  expect "MAC" "$(jq -r '.interfaces[2].mac' "$BATS_TEST_TMPDIR/result")" "$(mac $netns eth0)"
  ip netns exec one ping -c 1 -W 5 10.66.0.1
  [ "$1" = 0.3.1 ] || libcni check "$conf" c1 $netns eth0
  libcni del "$conf" c1 $netns eth0
  libcni del "$conf" c1 $netns eth0
  libcni del "$conf" c1 "" eth0
  expect_nothing_held "libcni-$1"
  expect_unchanged
}

@test "libcni 0.3.1: add, del, del again" {
  life 0.3.1
  expect "IP version in the result" 4 "$(jq -r '.ips[0].version' "$BATS_TEST_TMPDIR/result")"
}

@test "libcni 0.4.0: add, check, del, del again" {
  life 0.4.0
  expect "IP version in the result" 4 "$(jq -r '.ips[0].version' "$BATS_TEST_TMPDIR/result")"
}

@test "libcni 1.0.0: add, check, del, del again" {
  life 1.0.0
  expect "IP version in the result" null "$(jq -r '.ips[0].version' "$BATS_TEST_TMPDIR/result")"
}

@test "libcni: check fails once the address is gone, and del still succeeds" {
  local conf
  conf=$(conflist 1.0.0)
  libcni add "$conf" c2 /run/netns/one eth0 > /dev/null
  libcni check "$conf" c2 /run/netns/one eth0
  ip -n one address flush dev eth0
  run ! libcni check "$conf" c2 /run/netns/one eth0
  libcni del "$conf" c2 /run/netns/one eth0
  expect_nothing_held libcni-1.0.0
  # The reference plugins look for their masquerade rules by the addresses they find on the link, and leave them here.
  ! ours || expect_unchanged
}

@test "libcni: one container on two networks" {
  local first second
  first=$(conflist 0.4.0)
  second=$(conflist 1.0.0)
  sed -i 's/10\.66\.0/10.67.0/; s/br-libcni/br-other/' "$second"
  libcni add "$first" c3 /run/netns/one eth0
  libcni add "$second" c3 /run/netns/one eth1
  expect "links" "eth0 eth1" "$(links /run/netns/one | xargs)"
  ip netns exec one ping -c 1 -W 5 -I eth0 10.66.0.1
  ip netns exec one ping -c 1 -W 5 -I eth1 10.67.0.1
  libcni del "$first" c3 /run/netns/one eth0
  expect "links" eth1 "$(links /run/netns/one)"
  ip netns exec one ping -c 1 -W 5 10.67.0.1
  libcni del "$second" c3 /run/netns/one eth1
  expect_nothing_held libcni-0.4.0 libcni-1.0.0
}

@test "libcni: the plugins that ran were ours" {
  ran_ours ADD libcni-1.0.0
  ran_ours DEL libcni-1.0.0
  ran_ours CHECK libcni-1.0.0
}
