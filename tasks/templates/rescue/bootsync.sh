#!/bin/sh
# Runs once at the end of boot, before the login prompt: names the host, starts services in the background, and
# returns at once.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

# Every machine needs a name of its own: rescue followed by the hardware address of its first network card.
for path in /sys/class/net/*; do
  [ -e "$path/device" ] || continue
  address=$(sed 's/://g' "$path/address")
  /usr/bin/sethostname "rescue$address"
  break
done

# sshd is part of dev and debug images only.
if [ -x /usr/local/etc/init.d/openssh ]; then
  /usr/local/etc/init.d/openssh start </dev/null >/var/log/openssh.log 2>&1 &
fi

[ ! -x /opt/bootlocal.sh ] || /opt/bootlocal.sh </dev/null >/dev/null 2>&1 &
