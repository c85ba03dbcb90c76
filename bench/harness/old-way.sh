#!/bin/bash
# What two shell scripts and their user did for every edit: pack the overlay and the bundle, unpack it elsewhere, pack
# the whole image again as small as it gets, write the ISO.
# Usage: old-way.sh INPUT WORK SCRIPT [URLS]
#   INPUT   directory with Core-current.iso, overlay/ and dependencies/, all made before
#   WORK    directory for everything that is made; emptied first
#   SCRIPT  the edited controller script, or "" for none
#   URLS    file with what is fetched first, one URL a line, one wget each
# Seconds of each step go to WORK/steps, one "NAME SECONDS" a line; the result is WORK/image.iso.
set -euo pipefail
input=$1 work=$2 script=$3 urls=${4:-}
rm -rf "$work"
mkdir -p "$work"/{downloads,bundle/dependencies,unpacked,extract,newiso}

last=$EPOCHREALTIME
step() {
  awk -v name="$1" -v from="$last" -v to="$EPOCHREALTIME" 'BEGIN { printf "%s %.3f\n", name, to - from }' >> "$work/steps"
  last=$EPOCHREALTIME
}

if [ -n "$urls" ]; then
  while read -r url; do
    wget -q -P "$work/downloads" "$url"
  done < "$urls"
  step download
fi

if [ -n "$script" ]; then cp "$script" "$input/overlay/usr/local/bin/"; fi
cp "$input/Core-current.iso" "$work/bundle/"
cp "$input"/dependencies/* "$work/bundle/dependencies/"
tar -C "$input/overlay" -czf "$work/bundle/dependencies/razor-microkernel-overlay.tar.gz" .
tar -C "$work/bundle" -czf "$work/bundle.tar.gz" .
step bundle

tar -C "$work/unpacked" -xzf "$work/bundle.tar.gz"
xorriso -osirrox on -indev "$work/unpacked/Core-current.iso" -extract / "$work/newiso" 2> "$work/log"
chmod -R u+w "$work/newiso"
initrd=$(cd "$work/newiso/boot" && ls core*.gz)
zcat "$work/newiso/boot/$initrd" | (cd "$work/extract" && cpio -idm --quiet)
for tarball in "$work"/unpacked/dependencies/*.tar.gz; do tar -C "$work/extract" -xzf "$tarball"; done
step unpack

(cd "$work/extract" && find . | cpio -o -H newc --quiet | gzip -9) > "$work/newiso/boot/$initrd"
step gzip
advdef -q -z4 "$work/newiso/boot/$initrd"
step advdef
genisoimage -quiet -l -J -R -V Core -no-emul-boot -boot-load-size 4 -boot-info-table \
  -b boot/isolinux/isolinux.bin -c boot/isolinux/boot.cat -o "$work/image.iso" "$work/newiso" 2>> "$work/log"
step genisoimage
