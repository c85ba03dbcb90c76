#!/bin/sh
# Runs once at the end of boot, before the login prompt: names the host, starts what a Microkernel is for in the
# background, and returns at once.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

# Every machine needs a name of its own: mk followed by the hardware address of its first network card.
for path in /sys/class/net/*; do
  [ -e "$path/device" ] || continue
  address=$(sed 's/://g' "$path/address")
  /usr/bin/sethostname "mk$address"
  break
done

# sshd is part of dev and debug images only.
if [ -x /usr/local/etc/init.d/openssh ]; then
  /usr/local/etc/init.d/openssh start </dev/null >/var/log/openssh.log 2>&1 &
fi

if command -v ruby >/dev/null; then
  # RubyGems doubles Ruby's start, and nothing needs it at first. Ruby 1.8 does not know the option.
  gems=
  ! ruby --disable-gems -e 0 2>/dev/null || gems=--disable-gems
  # shellcheck disable=SC2086 # no word where there is no option
  ruby $gems /usr/local/bin/rz_mk_init.rb </dev/null >/var/log/rz_mk_init.out 2>&1 &
else
  echo "bootsync: no ruby, the Microkernel's controller is not started" >/dev/console
fi

[ ! -x /opt/bootlocal.sh ] || /opt/bootlocal.sh </dev/null >/dev/null 2>&1 &
