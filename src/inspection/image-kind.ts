/** What kind of image a file is, by its first bytes, and what it is instead when it is none. */
import { UserError } from "../errors/index.ts";
import { type FileContent, type Magic, printName, sniff } from "../formats/index.ts";
import { containerKind, headOf } from "./container.ts";

export type ImageKind = "ISO" | "initrd" | "tarball" | "squashfs";

/** @throws UserError `not-an-image`, which says what the file is */
export async function imageKind(content: FileContent, file: string): Promise<ImageKind> {
  const kind = await containerKind(content);
  if (kind !== undefined) return kind;
  const head = await headOf(content);
  if (sniff(head) === "squashfs") return "squashfs";
  throw new UserError(`the file is not an image: it is ${describe(head)}`, {
    code: "not-an-image",
    where: printName(file),
    hint: "name an ISO, an initrd, a bundle or another tarball, or an extension (.tcz)",
  });
}

const names: Readonly<Partial<Record<Magic, string>>> = {
  gzip: "gzip-compressed data, but neither an initrd nor a tarball",
  bzip2: "bzip2-compressed data",
  xz: "xz-compressed data",
  lzma: "lzma-compressed data",
  zstd: "zstd-compressed data",
  lz4: "lz4-compressed data",
  lzo: "lzo-compressed data",
  deb: "a Debian package",
  html: "an HTML page",
};

/** Source of offset and letters of a kernel: Linux `Documentation/arch/x86/boot.rst`. */
function describe(head: Buffer): string {
  if (head.length === 0) return "empty";
  const known = names[sniff(head)];
  if (known !== undefined) return known;
  if (head.toString("latin1", 0, 4) === "\x7fELF") return "an ELF file";
  if (head.toString("latin1", 0, 4) === "PK\x03\x04") return "a zip file";
  if (head.toString("latin1", 0x202, 0x206) === "HdrS") return "a Linux kernel";
  if (head[510] === 0x55 && head[511] === 0xaa) return "a disk image, or its boot sector";
  if (head.every((byte) => byte === 0)) return "NUL bytes";
  const isText = head.every((byte) => byte >= 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0d);
  return isText ? "a text file" : "data of an unknown kind";
}
