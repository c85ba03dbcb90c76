#!/bin/bash
# What a remaster by hand does for every change: unpack the ISO and its initrd, unpack and copy the extensions, pack the whole initrd
# again, write the ISO.
# Usage: old-remaster.sh ISO EXTENSIONS WORK CODES
#   ISO         the Core ISO
#   EXTENSIONS  directory with extracted/*.tcz and cde/, all fetched before
#   WORK        directory for everything that is made; emptied first
#   CODES       boot codes
# The result is WORK/image.iso.
set -euo pipefail
iso=$1 extensions=$2 work=$3 codes=$4
rm -rf "$work"
mkdir -p "$work"/{image,extract}
xorriso -osirrox on -indev "$iso" -extract / "$work/image" 2> "$work/log"
chmod -R u+w "$work/image"
initrd=$(cd "$work/image/boot" && ls core*.gz)
zcat "$work/image/boot/$initrd" | (cd "$work/extract" && cpio -idm --quiet)
for extension in "$extensions"/extracted/*.tcz; do
  unsquashfs -quiet -no-progress -f -d "$work/extract" "$extension"
done
cp -r "$extensions/cde" "$work/image/"
ldconfig -r "$work/extract"
sed -i "s/^\([ \t]*append .*\)/\1 $codes/" "$work/image/boot/isolinux/isolinux.cfg"
(cd "$work/extract" && find . | cpio -o -H newc --quiet | gzip -2) > "$work/image/boot/$initrd"
advdef -q -z4 "$work/image/boot/$initrd"
genisoimage -quiet -l -J -R -V Core -no-emul-boot -boot-load-size 4 -boot-info-table \
  -b boot/isolinux/isolinux.bin -c boot/isolinux/boot.cat -o "$work/image.iso" "$work/image" 2>> "$work/log"
