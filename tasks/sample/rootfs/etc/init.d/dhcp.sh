#!/bin/sh
# Asks for an address on every ethernet interface, all at once, in the background.
. /etc/init.d/tc-functions
for path in /sys/class/net/*; do
  interface=${path##*/}
  # 1 is ARPHRD_ETHER; bridges, tunnels and the loopback have other numbers or no device behind them.
  [ "$(cat "$path/type")" = 1 ] && [ -e "$path/device" ] || continue
  udhcpc -b -i "$interface" -x "hostname:$(hostname)" -p "/var/run/udhcpc.$interface.pid" \
    -s /usr/share/udhcpc/default.script &
done
