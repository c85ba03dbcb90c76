/**
 * Layered initrd images, read: every member, not only the first as `zcat | cpio -t` does.
 * It knows nothing of what a later member does to an earlier one.
 *
 * Rules: Linux `init/initramfs.c`, `unpack_to_rootfs`.
 */
import { mkdir, open } from "node:fs/promises";
import { UserError } from "../errors/index.ts";
import { FileWindow, readCpio } from "./cpio-reader.ts";
import { inflateMember, type PackingPoint } from "./gzip-member.ts";
import type { UnpackLimits } from "./limits.ts";
import { sniff } from "./magic.ts";
import { encodeName, printName } from "./names.ts";
import type { FileTree } from "./tree.ts";

export interface ReadInitrdOptions {
  /**
   * Absolute path of a directory for unpacked members, made when missing. The trees refer to the files in it:
   * the caller removes it when the trees are done with.
   */
  readonly spoolDir: string;
  readonly limits?: UnpackLimits;
}

/** One archive of an initrd; several may share one gzip member. */
export interface InitrdMember {
  /** Where the member begins in the initrd, and its length there, in bytes. */
  readonly offset: number;
  readonly size: number;
  readonly compression: "none" | "gzip";
  readonly tree: FileTree;
  /** How the content is spread over the member; none where it is not compressed. */
  readonly points: readonly PackingPoint[];
}

/**
 * Every archive of the initrd at `path` (absolute), in order. Contents are referred to where they lie: in the initrd itself
 * for plain archives, in spool files for compressed ones; memory holds names only.
 * @throws UserError `unsupported-compression`, `misaligned-archive`, `not-an-initrd`, and those of `readCpio` and `inflateMember`
 */
export async function readInitrd(path: string, options: ReadInitrdOptions): Promise<readonly InitrdMember[]> {
  await mkdir(options.spoolDir, { recursive: true });
  const handle = await open(encodeName(path), "r");
  try {
    const { size } = await handle.stat();
    const file = new FileWindow(handle, path);
    const members: InitrdMember[] = [];
    let at = await skipNuls(file, 0, size);
    while (at < size) {
      const offset = at;
      const magic = sniff(await file.read(at, 8));
      if (magic === "cpio") {
        refuseMisaligned(path, at);
        const { tree, end } = await readCpio(file, at, size);
        members.push({ offset, size: end - offset, compression: "none", tree, points: [] });
        at = end;
      } else if (magic === "gzip") {
        const spool = `${options.spoolDir}/member-${members.length}.cpio`;
        const { end, points } = await inflateMember(file, at, spool, options.limits);
        for (const tree of await readArchives(spool)) {
          members.push({ offset, size: end - offset, compression: "gzip", tree, points });
        }
        at = end;
      } else throw unknownMember(path, at, magic);
      at = await skipNuls(file, at, size);
    }
    return members;
  } finally {
    await handle.close();
  }
}

/** The archives of one unpacked member: the kernel accepts several, with NULs between them. */
async function readArchives(spool: string): Promise<readonly FileTree[]> {
  const handle = await open(encodeName(spool), "r");
  try {
    const { size } = await handle.stat();
    const file = new FileWindow(handle, spool);
    const trees: FileTree[] = [];
    for (let at = await skipNuls(file, 0, size); at < size; at = await skipNuls(file, at, size)) {
      const { tree, end } = await readCpio(file, at, size);
      trees.push(tree);
      at = end;
    }
    return trees;
  } finally {
    await handle.close();
  }
}

async function skipNuls(file: FileWindow, from: number, size: number): Promise<number> {
  let at = from;
  while (at < size) {
    const piece = await file.read(at, Math.min(4096, size - at));
    const found = piece.findIndex((byte) => byte !== 0);
    if (found !== -1) return at + found;
    if (piece.length === 0) break;
    at += piece.length;
  }
  return size;
}

function refuseMisaligned(path: string, offset: number): void {
  if (offset % 4 === 0) return;
  throw new UserError("a plain cpio archive starts at an offset that is no multiple of four", {
    code: "misaligned-archive",
    where: `${printName(path)}: offset ${offset}`,
    hint: "the kernel would not find it; put NUL bytes before it",
  });
}

function unknownMember(path: string, offset: number, magic: string): UserError {
  const where = `${printName(path)}: offset ${offset}`;
  if (magic === "unknown") {
    return new UserError("neither a cpio archive nor a gzip member begins here", {
      code: "not-an-initrd",
      where,
      hint: "the file is damaged, or is no initrd",
    });
  }
  return new UserError(`this part of the initrd is ${magic}; only plain and gzip parts can be read`, {
    code: "unsupported-compression",
    where,
    hint: "unpack it and compress it again with gzip",
  });
}
