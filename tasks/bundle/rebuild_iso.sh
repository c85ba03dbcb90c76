#!/bin/sh
# Builds the image out of iso/ and image/: usage: ./rebuild_iso.sh [VERSION]
# Needs gzip, and xorriso, genisoimage or mkisofs. Needs no root: owners are fields of the archive.
# The same bundle, version and tools make the same bytes.
set -eu
LC_ALL=C
TZ=UTC
export LC_ALL TZ
cd "$(dirname "$0")"

fail() {
  echo "error: $1" >&2
  [ $# -lt 2 ] || echo "  hint: $2" >&2
  exit 1
}

have() {
  command -v "$1" >/dev/null 2>&1
}

fact() {
  sed -n "s/^$1=//p" bundle-version
}

sha256() {
  if have sha256sum; then
    sha256sum "$1" | cut -d ' ' -f 1
  elif have shasum; then
    shasum -a 256 "$1" | cut -d ' ' -f 1
  else
    openssl dgst -sha256 "$1" | sed 's/.*= *//'
  fi
}

[ -d iso/boot ] && [ -d image ] || fail "iso/ and image/ are missing" "run ./build_initial_directories.sh first"
[ $# -le 1 ] || fail "usage: ./rebuild_iso.sh [VERSION]"

version=${1:-$(fact version)}
variant=$(fact variant)
epoch=$(fact epoch)
kernel=$(fact kernel)
initrd=$(fact initrd)
case $version in
  '' | [!0-9A-Za-z]* | *[!0-9A-Za-z.+_~-]*)
    fail "\"$version\" cannot be a version" "use letters, digits and . + _ ~ -, e.g. 0.9.3.1" ;;
esac

out=rz_mk_$variant-image.$version.iso
work=$(pwd)/work.$$
trap 'rm -rf "$work" "$out.part"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
mkdir "$work"

# The image's own layers follow Core's initrd as it is: the kernel unpacks one archive after the other.
printf -- '---\nmk_version: "%s"\n' "$version" >"$work/mk-version.yaml"
./write_newc.sh image "$epoch" | gzip -1 -n >"$work/image.gz"
mkdir -p "$work/version/tmp"
chmod 1777 "$work/version/tmp"
mv "$work/mk-version.yaml" "$work/version/tmp/mk-version.yaml"
chmod 644 "$work/version/tmp/mk-version.yaml"
./write_newc.sh "$work/version" "$epoch" | gzip -9 -n >"$work/version.gz"

cp -R iso "$work/iso"
# Names of Core that must go before the image's files take their place.
first=first.cpio.gz
[ -f $first ] || first=/dev/null
cat "iso/boot/$initrd" $first "$work/image.gz" "$work/version.gz" >"$work/iso/boot/$initrd"
menu=$work/iso/boot/isolinux/isolinux.cfg
sed 's/^\([[:space:]]*[Tt][Ii][Mm][Ee][Oo][Uu][Tt][[:space:]][[:space:]]*\)300\([[:space:]]*\)$/\1100\2/' "$menu" >"$work/menu"
cp "$work/menu" "$menu"
cp COPYING LICENSE "$work/iso/"
[ ! -f README.in ] || sed "s/{{version}}/$version/g" README.in >"$work/iso/README"
if [ -f loaders/efi.img ]; then
  mkdir -p "$work/iso/boot/grub"
  cp loaders/efi.img loaders/grub.cfg "$work/iso/boot/grub/"
  chmod 644 "$work/iso/boot/grub"/*
fi
# Menus that take no boot codes.
if [ -d closed-menus ]; then
  cp -R closed-menus/. "$work/iso/boot/"
fi

# The time as YAML's timestamps have it, by counting: no date(1) option for it is everywhere the same.
built=$(awk -v t="$epoch" 'BEGIN {
  d = int(t / 86400); s = t - d * 86400; y = 1970
  while (1) { n = (y % 4 == 0 && y % 100 != 0 || y % 400 == 0) ? 366 : 365; if (d < n) break; d -= n; y++ }
  split("31 " (n == 366 ? 29 : 28) " 31 30 31 30 31 31 30 31 30 31", m, " ")
  for (i = 1; d >= m[i]; i++) d -= m[i]
  printf "%04d-%02d-%02d %02d:%02d:%02d", y, i, d + 1, int(s / 3600), int(s % 3600 / 60), s % 60
}')
# A Razor server joins the paths to the ISO's root, and takes the seconds of the time, which must not be a quoted text.
cat >"$work/iso/iso-metadata.yaml" <<EOF
---
iso_version: "$version"
kernel: boot/$kernel
initrd: boot/$initrd
hash_description:
  type: Digest::SHA2
  bitlen: 256
kernel_hash: "$(sha256 "$work/iso/boot/$kernel")"
initrd_hash: "$(sha256 "$work/iso/boot/$initrd")"
iso_build_time: $built.000000000 Z
EOF

# A file's time of change is the writer's to record: all are the build's.
compact=$(printf %s "$built" | tr -d ' :-')
find "$work/iso" -exec touch -t "$(printf %s "$compact" | cut -c 1-12).$(printf %s "$compact" | cut -c 13-14)" {} +
label=$(printf 'Razor MK %s' "$version" | cut -c 1-32)
boot="-b boot/isolinux/isolinux.bin -c boot/isolinux/boot.cat -no-emul-boot -boot-load-size 4 -boot-info-table"
uefi="-eltorito-alt-boot -e boot/grub/efi.img -no-emul-boot"
if have xorriso; then
  # xorriso treats 0 as no date and writes the current time; but a file's own date may be 0.
  dates="=$epoch"
  [ "$epoch" -ne 0 ] || dates=set_to_mtime
  # Another boot image of the CD.
  [ ! -f loaders/efi.img ] || boot="$boot $uefi"
  if [ -f loaders/mbr.bin ]; then
    # Also from a stick, where the FAT image is a partition.
    boot="-isohybrid-mbr loaders/mbr.bin -partition_cyl_align off $boot"
    [ ! -f loaders/efi.img ] || boot="$boot -isohybrid-gpt-basdat"
  fi
  # $boot is a list of words.
  # shellcheck disable=SC2086
  SOURCE_DATE_EPOCH=$epoch xorriso -no_rc -volume_date all_file_dates "$dates" -volume_date uuid "${compact}00" \
    -as mkisofs -quiet -o "$out.part" -V "$label" -appid "Razor Microkernel" -sysid LINUX -publisher "" -preparer "" \
    -iso-level 3 -l -r -J -joliet-long -dir-mode 0755 -file-mode 0644 -no-pad $boot "$work/iso" >"$work/log" 2>&1 ||
    fail "xorriso failed: $(tail -n 1 "$work/log")"
  # It turns the application id to capitals (ECMA-119 8.4.20: 128 bytes at 574 of the descriptor, filled up with blanks).
  printf '%-128s' "Razor Microkernel" | dd of="$out.part" bs=1 seek=33342 conv=notrunc 2>/dev/null
else
  writer=genisoimage
  have genisoimage || writer=mkisofs
  have $writer || fail "no ISO writer is installed" "install the package xorriso, or genisoimage"
  if [ -f loaders/efi.img ]; then
    case $($writer -help 2>&1) in
      *-efi-boot*) boot="$boot $uefi" ;;
      *-eltorito-platform*)
        boot="$boot -eltorito-alt-boot -eltorito-platform efi -b boot/grub/efi.img -no-emul-boot" ;;
      *) echo "note: $writer cannot make an ISO that starts under UEFI; xorriso can" >&2 ;;
    esac
  fi
  # Without Rock Ridge, which would record when each file was last touched on this machine; -U keeps the names as they are.
  # shellcheck disable=SC2086
  $writer -quiet -o "$out.part" -V "$label" -A "Razor Microkernel" -sysid LINUX -publisher "" -p "" \
    -iso-level 4 -U $boot "$work/iso" >"$work/log" 2>&1 || fail "$writer failed: $(tail -n 1 "$work/log")"
  # Its volume descriptors, the primary and the one of level 4, hold the clock's time (ECMA-119 8.4.26 to 8.4.29:
  # creation, modification, none, effective; the boot record lies between the two).
  stamp=${compact}00
  for offset in 33581 33598 33632 37677 37694 37728; do
    printf '%s\000' "$stamp" | dd of="$out.part" bs=1 seek=$offset conv=notrunc 2>/dev/null
  done
  # So does the boot catalogue's directory record (9.1: seven bytes at 18, the name's length at 32, the name). The directories
  # lie at the ISO's beginning.
  binary=$(awk -v t="$compact" 'BEGIN {
    printf "\\%03o", substr(t, 1, 4) - 1900
    for (i = 5; i <= 13; i += 2) printf "\\%03o", substr(t, i, 2)
    printf "\\000"
  }')
  for offset in $(od -A n -v -t x1 -j 32768 -N 262144 "$out.part" | tr -d ' \n' | awk '{
    rest = $0; before = 0
    while ((at = index(rest, "626f6f742e636174")) > 0) {
      hex = before + at - 1; size = substr($0, hex - 1, 2)
      if (hex % 2 == 0 && (size == "08" || size == "0a")) print 32768 + hex / 2 - 15
      before += at; rest = substr(rest, at + 1)
    }
  }'); do
    # The text is printf's escapes.
    # shellcheck disable=SC2059
    printf "$binary" | dd of="$out.part" bs=1 seek="$offset" conv=notrunc 2>/dev/null
  done
  [ ! -f loaders/mbr.bin ] || ./make_hybrid.sh "$out.part" loaders/mbr.bin "$epoch"
fi
mv "$out.part" "$out"
echo "$out  $(wc -c <"$out" | tr -d ' ') bytes  sha256 $(sha256 "$out")"
