#!/bin/sh
# Asks for an address on every ethernet interface, all at once, in the background. The script that udhcpc calls
# keeps the lease's facts for the Microkernel's controller.
# -b: an interface whose cable is plugged in later still gets its address.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
for path in /sys/class/net/*; do
  interface=${path##*/}
  # 1 is ARPHRD_ETHER; bridges, tunnels and the loopback have other numbers or no device behind them.
  [ "$(cat "$path/type")" = 1 ] && [ -e "$path/device" ] || continue
  udhcpc -b -i "$interface" -x "hostname:$(hostname)" -p "/var/run/udhcpc.$interface.pid" \
    -s /usr/share/udhcpc/dhcp_mk_config.script &
done
