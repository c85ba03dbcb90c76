#!/bin/sh
# Asks for an address on every ethernet interface, all at once, in the background; interfaces that are asked for already
# are left alone, so that the controller may call this again when there is another card. The script that udhcpc calls
# keeps the lease's facts for the Microkernel's controller.
# -b: an interface whose cable is plugged in later still gets its address.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
for path in /sys/class/net/*; do
  interface=${path##*/}
  # 1 is ARPHRD_ETHER; bridges, tunnels and the loopback have other numbers or no device behind them.
  [ "$(cat "$path/type")" = 1 ] && [ -e "$path/device" ] || continue
  pid=/var/run/udhcpc.$interface.pid
  if [ -s "$pid" ] && kill -0 "$(cat "$pid")" 2>/dev/null; then continue; fi
  udhcpc -b -i "$interface" -x "hostname:$(hostname)" -p "$pid" \
    -s /usr/share/udhcpc/dhcp_mk_config.script </dev/null >/dev/null 2>&1 &
done
