/** What kind of image a file is, by its first bytes, and what it is instead when it is none. */
import { UserError } from "../errors/index.ts";
import { type FileContent, looksLikeDisk, type Magic, printName, sniff } from "../formats/index.ts";
import { containerKind, headOf } from "./container.ts";

export type ImageKind = "ISO" | "initrd" | "tarball" | "squashfs" | "disk image";

/** @throws UserError `not-an-image`, which says what the file is */
export async function imageKind(content: FileContent, file: string): Promise<ImageKind> {
  const kind = await containerKind(content);
  if (kind !== undefined) return kind;
  const head = await headOf(content);
  if (sniff(head) === "squashfs") return "squashfs";
  if (sniff(head) === "unknown" && looksLikeDisk(head) && !isKernel(head)) return "disk image";
  throw new UserError(`the file is not an image: it is ${describe(head)}`, {
    code: "not-an-image",
    where: printName(file),
    hint:
      hints[describe(head)] ??
      "name an ISO, an initrd, a bundle or another tarball, a disk image, or an extension (.tcz)",
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

/** Disk images in a form of their own: QEMU `docs/interop/qcow2.txt`; VMware, "Virtual Disk Format 5.0"; Microsoft, [MS-VHDX]. */
const diskForms = [
  ["QFI\xfb", "qcow2"],
  ["KDMV", "vmdk"],
  ["vhdxfile", "vhdx"],
  ["conectix", "vpc"],
] as const;

const hints: Readonly<Record<string, string>> = Object.fromEntries(
  diskForms.map(([, name]) => [
    `a disk image of the form ${name}`,
    `convert it: qemu-img convert -f ${name} -O raw IMAGE disk.img`,
  ]),
);

/** Offset and letters: Linux `Documentation/arch/x86/boot.rst`. */
function isKernel(head: Buffer): boolean {
  return head.toString("latin1", 0x202, 0x206) === "HdrS";
}

function describe(head: Buffer): string {
  if (head.length === 0) return "empty";
  const known = names[sniff(head)];
  if (known !== undefined) return known;
  if (head.toString("latin1", 0, 4) === "\x7fELF") return "an ELF file";
  if (head.toString("latin1", 0, 4) === "PK\x03\x04") return "a zip file";
  if (isKernel(head)) return "a Linux kernel";
  const form = diskForms.find(([magic]) => head.toString("latin1", 0, magic.length) === magic);
  if (form !== undefined) return `a disk image of the form ${form[1]}`;
  if (head.every((byte) => byte === 0)) return "NUL bytes";
  const isText = head.every((byte) => byte >= 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0d);
  return isText ? "a text file" : "data of an unknown kind";
}
