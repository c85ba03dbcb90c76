#!/bin/sh
# Enters the system in a directory as its root and runs a command there; started by unshare(1) with mounts and processes of its own.
# usage: enter-machine.sh ROOT USER DIRECTORY COMMAND [ARGUMENT...]
set -eu
root=$1 user=$2 directory=$3
shift 3

mount --bind "$root" "$root"
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount --rbind /sys "$root/sys"
mount -t tmpfs -o mode=1777 tmp "$root/tmp"
cd "$root"
mkdir -p .host
# Not chroot(2): a process in a mere chroot may make no user namespace (user_namespaces(7)).
pivot_root . .host
cd /
umount -l /.host
cd "$directory"
# This shell stays as the first process, which has to collect orphaned ones.
status=0
if [ "$user" = root ]; then "$@" || status=$?; else runuser -u "$user" -- "$@" || status=$?; fi
exit "$status"
