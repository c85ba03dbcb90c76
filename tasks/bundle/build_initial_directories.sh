#!/bin/sh
# Lays out what rebuild_iso.sh works on: iso/ with Core's boot files, image/ with what is put over Core's root.
# Needs tar, gzip and, to read the ISO, xorriso or isoinfo. Needs no root.
set -eu
LC_ALL=C
export LC_ALL
cd "$(dirname "$0")"

fail() {
  echo "error: $1" >&2
  [ $# -lt 2 ] || echo "  hint: $2" >&2
  exit 1
}

have() {
  command -v "$1" >/dev/null 2>&1
}

# What an earlier run left is replaced; directories of the image may lack the right to be emptied.
for directory in iso image; do
  [ ! -e "$directory" ] || { chmod -R u+rwX "$directory" && rm -rf "$directory"; }
  mkdir "$directory"
done

if have xorriso; then
  xorriso -no_rc -osirrox on -indev Core-current.iso -extract /boot iso/boot >iso.log 2>&1 ||
    fail "Core-current.iso cannot be read: $(tail -n 1 iso.log)" "unpack the bundle again"
elif have isoinfo; then
  isoinfo -R -f -i Core-current.iso >iso.log 2>&1 || fail "Core-current.iso cannot be read" "unpack the bundle again"
  grep '^/boot/' iso.log | while read -r path; do
    # isoinfo lists directories like files; what lies below another path is a directory.
    if grep -q "^$path/" iso.log; then
      mkdir -p "iso$path"
    else
      mkdir -p "iso$(dirname "$path")"
      isoinfo -R -x "$path" -i Core-current.iso >"iso$path"
    fi
  done
else
  fail "neither xorriso nor isoinfo is installed" "install the package xorriso, or genisoimage"
fi
rm -f iso.log
chmod -R u+rwX iso
rm -f iso/boot/isolinux/boot.cat

for archive in dependencies/*.tar.gz; do
  # The modes are the image's, whatever the umask: busybox's tar heeds it even with -p. Owners are the archive writer's
  # business.
  gzip -dc "$archive" | (cd image && umask 0 && tar xpf -) || fail "$archive cannot be unpacked" "unpack the bundle again"
done
echo "iso/ and image/ are ready; now run ./rebuild_iso.sh [VERSION]"
