import type { ErrorArea } from "./explanation.ts";

/** Archives, file systems and other binary formats. */
export const archiveErrors = {
  "bad-cpio": {
    meaning: "A cpio archive is damaged or truncated.",
    remedy: "Download or build the file again.",
  },
  "bad-deb": {
    meaning: "A Debian package is damaged or truncated.",
    remedy: "Check that the download is complete.",
  },
  "bad-elf": {
    meaning: "An ELF file is damaged, or for an unsupported machine.",
    remedy: "Get the file again, for the architecture of the image.",
  },
  "bad-file-system": {
    meaning: "A file system on a disk image is damaged or truncated.",
    remedy: "Check it with fsck, or get the image again.",
  },
  "bad-gem": {
    meaning: "A gem file is damaged, or not a gem.",
    remedy: "Use another gem server.",
  },
  "bad-gzip": {
    meaning: "A gzip file is damaged or truncated, or has header fields that the kernel does not support.",
    remedy: "Download or build the file again, or use another mirror.",
  },
  "bad-iso": {
    meaning: "An ISO is damaged.",
    remedy: "Download or build the ISO again.",
  },
  "bad-member": {
    meaning: "An xz or zstd part of an initrd is damaged or truncated.",
    remedy: "Download or build the file again, or use another mirror.",
  },
  "bad-squashfs": {
    meaning: "A squashfs file is damaged or truncated, so it cannot be mounted.",
    remedy: "Use another mirror.",
  },
  "bad-tarball": {
    meaning: "A tarball is damaged or truncated.",
    remedy: "Download the file again.",
  },
  bomb: {
    meaning: "An archive has more data, entries or levels than the limits allow.",
    remedy: "If you trust the file, raise the limit with the option that the hint names.",
  },
  "cpio-name": {
    meaning: "The kernel cannot unpack a cpio entry with this name or link target.",
    remedy: "Use a shorter name without NUL bytes.",
  },
  "cpio-overflow": {
    meaning: "A time, number or size does not fit into a cpio header.",
    remedy: "Use times from 1970 to 2106 and files under 4 GiB.",
  },
  "damaged-iso": {
    meaning: "A downloaded ISO is damaged.",
    remedy: "Try again later, or use another mirror.",
  },
  "damaged-tarball": {
    meaning: "A downloaded tarball is damaged.",
    remedy: "Try again later, or use another mirror.",
  },
  "duplicate-entry": {
    meaning: "An archive contains the same path twice.",
    remedy: "Get the file from a source that you trust.",
  },
  "fat-name": {
    meaning: "A FAT volume can only hold 8.3 names.",
    remedy: "Use names of at most 8 and 3 capitals or digits, such as `BOOTX64.EFI`.",
  },
  "fat-too-large": {
    meaning: "The files do not fit into the FAT volume of the boot loader.",
    remedy: "Put only the boot loader's files into it.",
  },
  "iso-field": {
    meaning: "A text is too long, or has characters that a field of the ISO does not allow.",
    remedy: "Use a shorter text, or a shorter version.",
  },
  "layer-entries-meet": {
    meaning: "A symlink of the base makes two entries of a layer the same path of the image.",
    remedy: "Put the files under one of the two names only.",
  },
  "member-missing": {
    meaning: "An ISO or squashfs file does not contain a file that the build needs.",
    remedy: "Check that the file is the intended one.",
  },
  "misaligned-archive": {
    meaning: "A plain cpio archive in an initrd starts at an offset that is not a multiple of four.",
    remedy: "Pad with NUL bytes before it. The kernel does not find it otherwise.",
  },
  "name-not-utf8": {
    meaning: "A name or link target that is not valid UTF-8 cannot be packed into a tarball.",
    remedy: "Rename the file.",
  },
  "not-a-file": {
    meaning: "The path is not a regular file.",
    remedy: "Name a file.",
  },
  "not-a-layer": {
    meaning: "A layer of the initrd is neither a cpio archive nor a gzip file.",
    remedy: "Pack the layer with gzip. Not every kernel unpacks other compressions.",
  },
  "not-a-regular-file": {
    meaning: "A directory, pipe or device cannot be read at random.",
    remedy: "Name a file on the disk.",
  },
  "no-file-system": {
    meaning: "A disk image has no file system that this program reads: ext2, ext3, ext4 or FAT.",
    remedy: "List its partitions with `sfdisk -l`, and read it with a program that supports the file system.",
  },
  "not-an-initrd": {
    meaning: "The file is neither a cpio archive nor a gzip file.",
    remedy: "Check that the file is an initrd, and complete.",
  },
  "not-an-iso": {
    meaning: "The file is not an ISO 9660 image.",
    remedy: "Check that the download is complete.",
  },
  "not-empty": {
    meaning: "The directory to unpack into is not empty.",
    remedy: "Remove its contents.",
  },
  "parent-missing": {
    meaning: "An entry's directory is not in the archive.",
    remedy: "Add every parent directory to the tree before it is written.",
  },
  "tool-failed": {
    meaning: "A program that reads or writes an archive failed.",
    remedy: "Check that the file is complete and readable.",
  },
  "unreadable-directory": {
    meaning: "A directory to be packed cannot be read.",
    remedy: "Make it readable for your user.",
  },
  "unreadable-file": {
    meaning: "The file cannot be opened.",
    remedy: "Check the name and the permissions of the file.",
  },
  "unreadable-listing": {
    meaning: "A name in a squashfs file has a line break or is not valid UTF-8.",
    remedy: "Get the file from a source that you trust.",
  },
  "unsafe-entry": {
    meaning: "An archive contains a device, a set-user-id file or another entry that is not allowed there.",
    remedy: "Get the file from a source that you trust.",
  },
  "unsafe-link": {
    meaning:
      "An archive contains a link that leads out of it, or an entry below a path that is not a directory.",
    remedy: "Get the file from a source that you trust.",
  },
  "unsafe-name": {
    meaning: "An archive contains a name that is not allowed, such as one that leads out of the directory.",
    remedy: "Get the file from a source that you trust.",
  },
  "unsupported-compression": {
    meaning: "A part of the initrd is compressed with another program than gzip, xz or zstd.",
    remedy: "Unpack it, and compress it with gzip.",
  },
  "unsupported-entry": {
    meaning: "A tarball contains an entry of an unsupported type.",
    remedy: "Get the file from a source that you trust.",
  },
  "unsupported-file-system": {
    meaning: "A file system on a disk image uses a feature that this program does not read.",
    remedy: "Read it with a program that supports the feature, such as mount or guestfish.",
  },
  "unsupported-file-type": {
    meaning: "A directory to be packed contains a socket, fifo or device.",
    remedy: "Remove it from the directory.",
  },
} satisfies ErrorArea;
