#!/bin/sh
# Installs packages into an empty root, in a user namespace of which the caller is root.
# Usage: unshare -r -m sh install-root.sh CONFIGURATION ROOT PACKAGES [SCRIPT...]
set -eu
configuration=$1
root=$2
packages=$3
shift 3

# Where the root's own rpm looks for them; some distributions' rpm has another place.
echo '%_dbpath /var/lib/rpm' >"$HOME/.rpmmacros"

# Scripts of packages write to these.
mkdir -p "$root/dev"
for device in null zero full random urandom; do
  : >"$root/dev/$device"
  mount --bind "/dev/$device" "$root/dev/$device"
done

xargs dnf -y -q -c "$configuration" --installroot="$root" --releasever=/ install <"$packages"

for script in "$@"; do
  echo "running $(basename "$script")"
  cp "$script" "$root/.script"
  chmod 755 "$root/.script"
  chroot "$root" /.script
  rm "$root/.script"
done

for device in null zero full random urandom; do
  umount "$root/dev/$device"
  rm "$root/dev/$device"
done
