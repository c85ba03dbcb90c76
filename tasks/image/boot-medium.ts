/** What a virtual machine boots an image from: an ISO, a disk's image, or a directory for network boot. */
import { createWriteStream } from "node:fs";
import { mkdir, open, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { UserError } from "../../src/errors/index.ts";
import { type FileTree, readIsoTree, streamContent } from "../../src/formats/index.ts";
import type { BootMedium } from "../../src/host/index.ts";
import { contentOfFile, findBootFiles, imageKind } from "../../src/inspection/index.ts";

export const mediumNames = ["cd", "stick", "disk", "net", "kernel"] as const;
type MediumName = (typeof mediumNames)[number];

/** The script that a directory for network boot begins with. */
const script = "boot.ipxe";

/**
 * The medium for the image at `file` (absolute); `scratch` is an existing directory for what has to be taken out of an ISO.
 * @throws UserError `boot-image` for what does not boot in this way, and those of the readers
 */
export async function prepareMedium(file: string, as: MediumName, scratch: string): Promise<BootMedium> {
  const isDirectory = (await stat(file).catch(() => undefined))?.isDirectory() === true;
  if (isDirectory && as === "net") return await networkDirectory(file);
  const format = isDirectory ? undefined : await virtualFormat(file);
  if (format !== undefined) return diskMedium(file, as, format);
  const kind = await imageKind(await contentOfFile(file), file);
  if (kind === "disk image") return diskMedium(file, as);
  if (kind !== "ISO") {
    throw new UserError(`the image is of the kind ${kind}, but only an ISO or a disk image boots`, {
      code: "boot-image",
      where: file,
      hint: "name an ISO or a disk image, or with --as net the directory of `task pxe`",
    });
  }
  switch (as) {
    case "cd":
      return { cdrom: file };
    case "stick":
    case "disk":
      await requirePartitions(file);
      return as === "stick" ? { stick: file } : { disk: file };
    case "net":
    case "kernel": {
      const { kernel, initrd, args } = await takeOut(file, scratch);
      if (as === "kernel") return { kernel, initrd, append: args.join(" ") };
      const names = [path.basename(kernel), path.basename(initrd)] as const;
      const lines = [
        "#!ipxe",
        `kernel ${names[0]} initrd=${names[1]} ${args.join(" ")}`,
        `initrd ${names[1]}`,
        "boot",
        "",
      ];
      await writeFile(path.join(scratch, script), lines.join("\n"), "latin1");
      return { tftp: scratch, bootFile: script };
    }
  }
}

/**
 * A disk is a disk unless it is to be a stick. What the machine writes to it is lost with the machine: the image is a product of a build,
 * which would make it again.
 */
function diskMedium(file: string, as: MediumName, format = "raw"): BootMedium {
  if (as === "stick" && format === "raw") return { stick: file };
  if (as === "disk" || as === "cd") return { disk: file, format, writes: "dropped" };
  throw new UserError(
    `a disk image${format === "raw" ? "" : ` of the form ${format}`} does not boot with --as ${as}`,
    {
      code: "boot-image",
      where: file,
      hint: format === "raw" ? "omit --as, or use --as stick" : "omit --as",
    },
  );
}

/** What images of virtual disks begin with (QEMU, `docs/interop/qcow2.txt`, `block/vmdk.c`; [MS-VHDX], 2.2.1). */
const virtualMagic: ReadonlyMap<string, string> = new Map([
  ["QFI\u00fb", "qcow2"],
  ["KDMV", "vmdk"],
  ["vhdxfile", "vhdx"],
]);

/** The format of a virtual disk's image, as QEMU calls it; undefined for all else. */
async function virtualFormat(file: string): Promise<string | undefined> {
  const handle = await open(file, "r").catch(() => undefined);
  try {
    const head = (await handle?.read(Buffer.alloc(8), 0, 8, 0))?.buffer.toString("latin1") ?? "";
    return [...virtualMagic].find(([magic]) => head.startsWith(magic))?.[1];
  } finally {
    await handle?.close();
  }
}

async function networkDirectory(directory: string): Promise<BootMedium> {
  if ((await stat(path.join(directory, script)).catch(() => undefined))?.isFile() === true) {
    return { tftp: directory, bootFile: script };
  }
  throw new UserError(`the directory has no ${script}`, {
    code: "boot-image",
    where: directory,
    hint: "make one with `task pxe`, or name an ISO",
  });
}

/** A machine that starts from a stick or a disk reads its partition table, or the code beside it. */
async function requirePartitions(iso: string): Promise<void> {
  const handle = await open(iso, "r");
  try {
    const { buffer } = await handle.read(Buffer.alloc(512), 0, 512, 0);
    if (buffer[510] === 0x55 && buffer[511] === 0xaa) return;
  } finally {
    await handle.close();
  }
  throw new UserError("the ISO has no partition table, so no machine starts it from a stick or a disk", {
    code: "boot-image",
    where: iso,
    hint: "boot it with --as cd",
  });
}

interface TakenOut {
  readonly kernel: string;
  readonly initrd: string;
  readonly args: readonly string[];
}

/** The kernel and the initrds, concatenated as a boot loader does, of the menu's default entry; the console is the serial line. */
async function takeOut(iso: string, scratch: string): Promise<TakenOut> {
  const tree = await readIsoTree(iso);
  const files = await findBootFiles(tree);
  if (files?.kernel === undefined) {
    throw new UserError("the boot menu of the ISO has no entry that starts a kernel with an initrd", {
      code: "boot-image",
      where: iso,
      hint: "boot it with --as cd",
    });
  }
  await mkdir(scratch, { recursive: true });
  const [kernel, initrd] = [path.join(scratch, "kernel"), path.join(scratch, "initrd")];
  await copyOut(tree, [files.kernel], kernel);
  await copyOut(tree, files.initrds, initrd);
  const serial = files.args.some((word) => word.startsWith("console=ttyS0")) ? [] : ["console=ttyS0,115200"];
  return { kernel, initrd, args: [...files.args, ...serial] };
}

/** The URL of an iPXE script, with the name that QEMU's network has for this machine (qemu(1), "-netdev user"). */
export function bootUrlOf(text: string): string | undefined {
  if (!/^http:\/\//i.test(text) || !URL.canParse(text)) return undefined;
  const url = new URL(text);
  if (["localhost", "127.0.0.1", "[::1]"].includes(url.hostname)) url.hostname = "10.0.2.2";
  return url.href;
}

/** Each begins at a multiple of four bytes, as the kernel expects of a plain archive. */
async function copyOut(tree: FileTree, paths: readonly string[], to: string): Promise<void> {
  async function* bytes(): AsyncGenerator<Uint8Array> {
    for (const one of paths) {
      let size = 0;
      for await (const piece of streamContent(tree.file(one).content)) {
        size += piece.length;
        yield piece;
      }
      if (size % 4 !== 0 && paths.length > 1) yield Buffer.alloc(4 - (size % 4));
    }
  }
  await pipeline(Readable.from(bytes()), createWriteStream(to));
}
