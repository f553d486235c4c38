#!/bin/bash
# kernel.sh OUT: makes OUT/vmlinux and OUT/initrd from Debian's kernel package, unpacked and not
# installed: no /boot, no hooks.
#
# The initrd holds busybox, `init` of this folder and the modules the suite needs, numbered in the
# order in which they load. The guest needs nothing else of the package, because its root file
# system is the host's. Needs the packages busybox-static, kmod and xz-utils.
set -euo pipefail
here=$(dirname "$(realpath "$0")")
out=$(realpath -m "${1:?usage: kernel.sh OUT}")
readonly REACH_ROOT="virtio_pci virtio_console 9pnet_virtio 9p overlay"
readonly NETWORK="bridge veth 8021q nf_tables nft_chain_nat nft_masq nft_fib_inet nft_ct"
readonly FILES="loop ext2"

mkdir -p "$(dirname "$out")"
work=$(mktemp -d "$out.XXXXXX")
trap 'rm -rf "$work"' EXIT
cd "$work"

download() {
  local package
  package=$(apt-cache depends linux-image-amd64 | sed -n 's/.*Depends: \(linux-image-\)/\1/p')
  apt-get download -qq -o APT::Sandbox::User=root "$package"
}
download 2>/dev/null || { apt-get -qq update && download; } # the lists may be missing or old
dpkg-deb --fsys-tarfile ./*.deb |
  tar -x --exclude='*/drivers/gpu' --exclude='*/drivers/media' --exclude='*/sound' ./boot ./lib

# The guest would need seconds to decompress the kernel. The bzImage's header says where its payload
# lies; the payload's last four bytes are its size.
image=$(echo boot/vmlinuz-*)
setup_sectors=$(od -An -tu1 -j $((0x1f1)) -N 1 "$image")
read -r offset length < <(od -An -tu4 -j $((0x248)) -N 8 "$image")
mkdir -p ready root/bin root/proc root/host root/upper root/root root/modules
dd if="$image" bs=1M iflag=skip_bytes,count_bytes status=none \
  skip=$(((setup_sectors + 1) * 512 + offset)) count=$((length - 4)) | xz -d >ready/vmlinux

release=$(ls lib/modules)
depmod -b . "$release"
# shellcheck disable=SC2086  # lists of words
modprobe -d . -S "$release" --show-depends -a $REACH_ROOT $NETWORK $FILES |
  awk '$1 == "insmod" && !seen[$2]++ {print $2}' | cat -n |
  while read -r number module; do
    cp "$module" "root/modules/$((100 + number))-$(basename "$module")"
  done
cp /bin/busybox root/bin/
cp "$here/init" root/init
(cd root && find . | busybox cpio -o -H newc 2>/dev/null) >ready/initrd
mv -T ready "$out" 2>/dev/null || [ -e "$out" ] # somebody else may have been faster
