#!/bin/bash
# plugin_dir.sh OURS OUT: fills the directory OUT as an operator's /opt/cni/bin: OURS over Debian's plugins.
#
# Every CNI plugin of OURS is copied (names that are one program stay hard links of one file); what OURS lacks is a
# symbolic link to the same name in /usr/lib/cni. The helper programs that plugins seek beside themselves come along.
# Other programs of OURS (cnmctl, tests) are not CNI plugins: left out.
set -eu
ours=$(realpath "${1:?usage: plugin_dir.sh OURS OUT}")
out=$(realpath "${2:?usage: plugin_dir.sh OURS OUT}")
readonly DEBIAN=/usr/lib/cni

mkdir -p "$out"
if [ "$ours" != "$DEBIAN" ]; then
  mine=()
  for name in bridge host-local loopback portmap firewall tuning bandwidth; do
    [ -x "$ours/$name" ] || { echo "plugin_dir.sh: no $name in $ours" >&2; exit 1; }
    mine+=("$ours/$name")
  done
  for name in cnm-xtables cnm-firewalld; do
    [ ! -x "$ours/$name" ] || mine+=("$ours/$name")
  done
  cp --archive --dereference --preserve=links "${mine[@]}" "$out/"
fi
for plugin in "$DEBIAN"/*; do
  name=$(basename "$plugin")
  [ -e "$out/$name" ] || ln -s "$plugin" "$out/$name"
done
