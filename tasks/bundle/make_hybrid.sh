#!/bin/sh
# Makes an ISO start from a disk or a stick too, as xorriso does: usage: make_hybrid.sh ISO MBR_CODE ID
# It is for ISO writers that cannot: MBR code, where the boot loader lies, and partitions go into the unused 32 KiB before
# the file system. Sources: syslinux, utils/isohybrid.c; El Torito 1.0, figures 1 to 5.
set -eu
LC_ALL=C
export LC_ALL
iso=$1

# A number of four bytes, the lowest first, at this offset.
number_at() {
  od -A n -v -t u1 -j "$1" -N 4 "$iso" | awk '{ print $1 + 256 * ($2 + 256 * ($3 + 256 * $4)) }'
}

# Bytes, in decimal, to this offset.
put() {
  # The text is printf's escapes.
  # shellcheck disable=SC2059
  printf "$(awk -v bytes="$2" 'BEGIN { n = split(bytes, b, " "); for (i = 1; i <= n; i++) printf "\\%03o", b[i] }')" |
    dd of="$iso" bs=1 seek="$1" conv=notrunc 2>/dev/null
}

bytes_of() {
  awk -v n="$1" 'BEGIN { for (i = 0; i < 4; i++) { printf "%d ", n % 256; n = int(n / 256) } }'
}

# Status, first and last sector by cylinder, head and sector (64 heads, 32 sectors), type, start and size.
partition() {
  put "$1" "$2 0 1 0 $3 63 $4 $5 $(bytes_of "$6") $(bytes_of "$7")"
}

# The disk ends with a whole cylinder of 1 MiB.
size=$(wc -c <"$iso")
cylinders=$(((size + 1048575) / 1048576))
dd if=/dev/null of="$iso" bs=1048576 seek="$cylinders" 2>/dev/null

# The boot catalogue's sector, the loader's, and that of the FAT image; an ISO's sector is four of a disk's.
catalogue=$(($(number_at 34887) * 2048))
loader=$(number_at $((catalogue + 40)))
dd if="$2" of="$iso" bs=1 conv=notrunc 2>/dev/null
put 432 "$(bytes_of $((loader * 4))) 0 0 0 0 $(bytes_of "$3") 0 0"
last=$((cylinders > 1024 ? 1023 : cylinders - 1))
partition 446 128 0 $((32 + last / 256 * 64)) $((last % 256)) 0 $((cylinders * 2048))
if [ "$(od -A n -t u1 -j $((catalogue + 64)) -N 2 "$iso" | tr -d ' ')" = 145239 ]; then
  fat=$(number_at $((catalogue + 104)))
  sectors=$(od -A n -t u1 -j $((catalogue + 102)) -N 2 "$iso" | awk '{ print $1 + 256 * $2 }')
  partition 462 0 239 254 255 $((fat * 4)) "$sectors"
fi
put 510 "85 170"
