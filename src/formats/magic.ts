/**
 * What kind of file some bytes begin, by their magic numbers.
 * File names do not matter.
 */

export type Magic =
  | "squashfs"
  | "iso9660"
  | "gzip"
  | "bzip2"
  | "xz"
  | "lzma"
  | "zstd"
  | "lz4"
  | "lzo"
  | "cpio"
  | "gem"
  | "tar"
  | "deb"
  | "html"
  | "unknown";

/** How many bytes `sniff` can make use of: an ISO's first volume descriptor lies at 32 KiB. */
export const sniffLength = 32 * 1024 + 6;

const at = (offset: number, ...bytes: readonly number[]) => ({ offset, bytes: Buffer.from(bytes) });
const text = (offset: number, letters: string) => ({ offset, bytes: Buffer.from(letters, "latin1") });

/**
 * Sources: squashfs `squashfs_fs.h`; ECMA-119 8.4.1; RFC 1952; the xz, zstd and LZ4 format documents; POSIX pax (ustar);
 * Linux `init/initramfs.c` and `lib/decompress.c`; deb(5).
 */
const signatures: readonly (readonly [Magic, { readonly offset: number; readonly bytes: Buffer }])[] = [
  ["squashfs", text(0, "hsqs")],
  ["gzip", at(0, 0x1f, 0x8b)],
  ["xz", at(0, 0xfd, 0x37, 0x7a, 0x58, 0x5a, 0)],
  ["zstd", at(0, 0x28, 0xb5, 0x2f, 0xfd)],
  ["bzip2", text(0, "BZh")],
  ["lz4", at(0, 0x04, 0x22, 0x4d, 0x18)],
  ["lz4", at(0, 0x02, 0x21, 0x4c, 0x18)],
  ["lzo", at(0, 0x89, 0x4c, 0x5a, 0x4f, 0)],
  ["lzma", at(0, 0x5d, 0, 0)],
  ["cpio", text(0, "070701")],
  ["cpio", text(0, "070702")],
  ["cpio", text(0, "070707")],
  ["deb", text(0, "!<arch>\ndebian-binary")],
  ["iso9660", text(32 * 1024 + 1, "CD001")],
];

/** Names that a gem's outer tar begins with. */
const gemMembers = ["metadata.gz", "data.tar.gz", "checksums.yaml.gz"];

/**
 * The kind of the file that begins with `bytes`. Give it `sniffLength` bytes, or all there are;
 * with fewer an ISO is `unknown`, with fewer than 263 a tarball is.
 */
export function sniff(bytes: Uint8Array): Magic {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (const [magic, { offset, bytes: expected }] of signatures) {
    if (buffer.subarray(offset, offset + expected.length).equals(expected)) return magic;
  }
  if (buffer.toString("latin1", 257, 262) === "ustar") {
    const name = buffer.toString("latin1", 0, 100).replace(/\0[\s\S]*$/, "");
    return gemMembers.includes(name) ? "gem" : "tar";
  }
  // A byte order mark, blanks and comments may stand before a page's first tag.
  const start = buffer.toString("latin1", 0, 1024).replace(/^(?:\xef\xbb\xbf)?(?:\s|<!--[\s\S]*?-->)*/, "");
  return /^<(?:!doctype\s+html|html|head|body|title|\?xml)\b/i.test(start) ? "html" : "unknown";
}
