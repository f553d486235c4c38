#!/usr/bin/env bats
# readme.bats: the commands of README.md, and of the documents it leads to, are run as they stand there. A block belongs to a test by the line before it,
# `<!-- test: NAME -->`; what cannot be had offline (a registry) or that Debian does not package (cnitool) is
# stood in for by the commands in $BATS_FILE_TMPDIR/bin.
load ../support/e2e
load ../support/docker/docker

# block NAME [FILE]: the text of the block of that name in README, or in FILE
block() {
  awk -v mark="<!-- test: $1 -->" '/^```/ && found {inside = !inside; if (!inside) exit; next} $0 == mark {found = 1}
    inside {print}' "$BATS_TEST_DIRNAME/../../${2:-README.md}"
}

# do_as_told NAME [FILE]: runs that block in a shell of its own, which stops at the first command that fails.
do_as_told() {
  local commands
  commands=$(block "$@")
  [ -n "$commands" ] || fail "${2:-README.md} has no block $1" || return 1
  (cd "$BATS_FILE_TMPDIR/clone" && PATH=$BATS_FILE_TMPDIR/bin:$PATH bash -euo pipefail -c "$commands" 3>&- 4>&-)
}

setup_file() {
  mkdir -p "$BATS_FILE_TMPDIR"/{bin,clone/build/release}
  ln -s "$CNM_PLUGINS" "$BATS_FILE_TMPDIR/clone/build/release/bin"
  mount -t tmpfs tmpfs /usr/local/bin
  # The README makes a folder there, beside what podman needs.
  mkdir -p /run/libexec/{upper,work}
  mount -t overlay overlay -o lowerdir=/usr/libexec,upperdir=/run/libexec/upper,workdir=/run/libexec/work /usr/libexec
  rm /opt/cni/bin/*

  # With CONTAINERS_CONF podman does not read Debian's own file, which gives a container fewer capabilities.
  sed -n '/^default_capabilities/,/^]/p; /^default_sysctls/,/^]/p' /usr/share/containers/containers.conf > "$BATS_FILE_TMPDIR/debian.conf"
  { sed "/^\[network\]/,\$d; /^\[containers\]/r $BATS_FILE_TMPDIR/debian.conf" "$SUPPORT/podman/containers.conf"; block podman-conf; } \
    > "$BATS_FILE_TMPDIR/containers.conf"
  cat > "$BATS_FILE_TMPDIR/bin/podman" << END
#!/bin/sh
export CONTAINERS_CONF=$BATS_FILE_TMPDIR/containers.conf
exec "$SUPPORT/podman/podman.sh" "\$@"
END
  cat > "$BATS_FILE_TMPDIR/bin/ctr" << END
#!/bin/sh -e
[ "\$1 \$2" = "image pull" ] || exec /usr/bin/ctr "\$@"
/usr/bin/ctr image import /run/e2e/image.tar
/usr/bin/ctr image tag $IMAGE "\$3"
END
  cat > "$BATS_FILE_TMPDIR/bin/cnitool" << END
#!/bin/sh
CNI_CACHE=/run/e2e/libcni exec "$CNM_LIBCNI_DRIVER" "\$1" "/etc/cni/net.d/10-\$2.conflist" cnitool "\$3" eth0
END
  cat > "$BATS_FILE_TMPDIR/bin/docker" << END
#!/bin/sh
exec $DOCKER_CLI --host unix:///run/docker.sock "\$@"
END
  chmod +x "$BATS_FILE_TMPDIR"/bin/*
}

@test "README: install" {
  ours || skip "only cnm's build has cnmctl"
  do_as_told install
  expect "inode of host-local" "$(stat -c %i /opt/cni/bin/bridge)" "$(stat -c %i /opt/cni/bin/host-local)"
}

@test "README: configure" {
  ours || cp /usr/lib/cni/{bridge,host-local,loopback} /opt/cni/bin/
  do_as_told configure
  libcni validate /etc/cni/net.d/10-blue.conflist c1 none eth0
}

@test "README: podman" {
  PATH=$BATS_FILE_TMPDIR/bin:$PATH command podman images > /dev/null # loads the image
  PATH=$BATS_FILE_TMPDIR/bin:$PATH command podman tag $IMAGE docker.io/library/busybox
  do_as_told podman
  expect "leases" "" "$(leases blue)"
}

@test "README: containerd" {
  "$SUPPORT/containerd/start.sh"
  run -0 do_as_told containerd
  [[ $output == *10.61.0.* ]]
}

@test "README: cnitool" {
  do_as_told cnitool
  expect "leases" "" "$(leases blue)"
}

@test "README: by hand" {
  do_as_told by-hand
  expect "leases" "" "$(leases blue)"
}

@test "README: docker" {
  ours || skip "cnmd is cnm's"
  cnmd_up
  docker_up
  load_image
  docker tag $IMAGE busybox
  run -0 do_as_told docker
  [[ $output == *10.61.0.*docker* ]] || fail "endpoint ls: $output"
  expect "leases" "" "$(leases blue)"
}

@test "README: rest" {
  ours || skip "cnmd is cnm's"
  run -0 do_as_told rest
  [[ $output == *'"network":"green"'* ]]
}

@test "rest-api.md: its example" {
  ours || skip "cnmd is cnm's"
  run -0 do_as_told rest-api packaging/docs/rest-api.md
  [[ $output == *'"network":"orange"'* ]]
  expect "networks" 0 "$(cnmctl network ls --json | jq 'map(select(.name == "orange")) | length')"
  cnmd_down
  docker_down
}

@test "README: cnmctl" {
  ours || skip "only cnm's build has cnmctl"
  run -0 do_as_told cnmctl
  [[ $output == *br-blue* ]]
}

@test "README: the plugins that ran were ours" {
  ran_ours ADD blue
  ran_ours DEL blue
}
