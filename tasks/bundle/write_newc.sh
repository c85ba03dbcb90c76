#!/bin/sh
# Writes a directory's content as a cpio archive in the newc format to standard output: usage: write_newc.sh DIRECTORY EPOCH
# Owners are by rule and times are EPOCH, so that nobody needs to be root and every run makes the same bytes.
# Format: Linux, Documentation/driver-api/early-userspace/buffer-format.rst. Headers and paddings are written by the
# shell itself; awk turns the listing of ls into headers.
set -eu
LC_ALL=C
export LC_ALL
epoch=$2
cd "$1"

# Bytes are counted on the way: printf's argument is the number of NULs.
nuls() {
  case $1 in
    1) printf '\000' ;;
    2) printf '\000\000' ;;
    3) printf '\000\000\000' ;;
  esac
}

# Each line: header, padding after the name, padding after the data, type letter, name, tab, link target.
find . ! -name . -exec ls -dln {} + | awk -v epoch="$epoch" '
  function bits(letters, set, lower, value) {
    value = (substr(letters, 1, 1) == "r") * 4 + (substr(letters, 2, 1) == "w") * 2
    return value + (index("xst", substr(letters, 3, 1)) > 0)
  }
  {
    letters = $1; size = $5; kind = substr(letters, 1, 1)
    mode = bits(substr(letters, 2, 3)) * 64 + bits(substr(letters, 5, 3)) * 8 + bits(substr(letters, 8, 3))
    if (index("sS", substr(letters, 4, 1))) mode += 2048
    if (index("sS", substr(letters, 7, 1))) mode += 1024
    if (index("tT", substr(letters, 10, 1))) mode += 512
    name = $0
    # Mode, links, owner, group, size and three words of date, then a blank and the name.
    for (i = 1; i <= 8; i++) sub(/^ *[^ ]+/, "", name)
    sub(/^ /, "", name)
    target = ""
    if (kind == "l") {
      at = index(name, " -> "); target = substr(name, at + 4); name = substr(name, 1, at - 1)
      mode = 511 + 40960; size = length(target)
    } else if (kind == "d") { mode += 16384; size = 0 }
    else if (kind == "-") mode += 32768
    else { print "unsupported type: " $0 > "/dev/stderr"; exit 1 }
    sub(/^\.\//, "", name)
    print name "\t" kind "\t" mode "\t" size "\t" target
  }' | sort | awk -F '\t' -v epoch="$epoch" '
  {
    name = $1; kind = $2; uid = 0; gid = 0
    # Core lets the staff group write where extensions are noted.
    if (name == "usr/local/tce.installed" || name ~ /^usr\/local\/tce\.installed\//) gid = 50
    # sshd reads these keys as the user tc.
    if (name == "home/tc/.ssh" || name ~ /^home\/tc\/\.ssh\//) { uid = 1001; gid = 50 }
    printf "070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x\t", NR, $3, uid, gid, 1, epoch, $4, 0, 0, 0, 0, length(name) + 1, 0
    printf "%d\t%d\t%s\t%s\t%s\n", (4 - (110 + length(name) + 1) % 4) % 4, (4 - $4 % 4) % 4, kind, name, $5
  }' | {
  tab=$(printf '\t')
  while IFS=$tab read -r header after_name after_data kind name target; do
    printf '%s%s\000' "$header" "$name"
    nuls "$after_name"
    case $kind in
      -) cat "./$name" ;;
      l) printf %s "$target" ;;
    esac
    nuls "$after_data"
  done
  # The trailer's name has 11 bytes with its NUL: 110 + 11 is three short of a multiple of four.
  printf '070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08xTRAILER!!!\000' 0 0 0 0 1 0 0 0 0 0 0 11 0
  nuls 3
}
