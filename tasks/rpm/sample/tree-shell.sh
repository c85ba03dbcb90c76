#!/bin/sh
# The first process of the sample's boot files: finds the tree on the medium, and starts a shell in it.
export PATH=/bin:/sbin:/usr/bin:/usr/sbin:/usr/local/bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev 2>/dev/null
cat /sys/bus/pci/devices/*/modalias 2>/dev/null | xargs modprobe -a -q 2>/dev/null
modprobe -a -q sr_mod sd_mod isofs
mkdir -p /tree
for try in 1 2 3 4 5 6 7 8 9 10; do
  for device in /dev/sr0 /dev/sr1 /dev/sda /dev/sdb; do
    mount -t iso9660 -o ro "$device" /tree 2>/dev/null || continue
    [ -f /tree/repodata/repomd.xml ] && break 2
    umount /tree
  done
  sleep 1
done
echo "the tree has $(ls /tree/Packages 2>/dev/null | wc -l) packages"
cd /tree || cd /
while :; do setsid sh -c 'exec sh -i </dev/console >/dev/console 2>&1'; done
