/**
 * Layered initrd images, read: every member, not only the first as `zcat | cpio -t` does.
 *
 * Rules: Linux `init/initramfs.c`, `unpack_to_rootfs`.
 */
import { mkdir, open } from "node:fs/promises";
import { UserError } from "../errors/index.ts";
import { FileWindow, readCpio } from "./cpio-reader.ts";
import { inflateMember, type PackingPoint } from "./gzip-member.ts";
import { createEntryLimit, defaultLimits, limitHint, type UnpackLimits } from "./limits.ts";
import { sniff } from "./magic.ts";
import type { PackedKind } from "./member-end.ts";
import { encodeName, printName } from "./names.ts";
import { unpackMember } from "./packed-member.ts";
import type { FileTree } from "./tree.ts";

export interface ReadInitrdOptions {
  /**
   * Absolute path of a directory for unpacked members, made when missing. The trees refer to the files in it:
   * the caller removes it when the trees are done with.
   */
  readonly spoolDir: string;
  readonly limits?: UnpackLimits;
  /** Name of the initrd in messages; by default its path. */
  readonly name?: string;
  /** The part of the file that is the initrd, in bytes; by default all of it. */
  readonly part?: { readonly offset: number; readonly size: number };
}

/** One archive of an initrd; several may share one gzip member. */
export interface InitrdMember {
  /** Where the member begins in the initrd, and its length there, in bytes. */
  readonly offset: number;
  readonly size: number;
  readonly compression: "none" | "gzip" | PackedKind;
  readonly tree: FileTree;
  /** How the content is spread over the member; none where it is not compressed. */
  readonly points: readonly PackingPoint[];
}

/** Archives are limited more strictly than entries, since each compressed one is unpacked to a file. */
const entriesPerArchive = 50;

/**
 * Every archive of the initrd at `path` (absolute), in order. Contents are referred to where they lie: in the initrd itself
 * for plain archives, in spool files for compressed ones; memory holds names only.
 * @throws UserError `unsupported-compression`, `misaligned-archive`, `not-an-initrd`, and those of `readCpio`, `inflateMember` and `unpackMember`;
 * `bomb` where all archives together are beyond the limits
 */
export async function readInitrd(
  path: string,
  { spoolDir, limits = {}, name = path, part }: ReadInitrdOptions,
): Promise<readonly InitrdMember[]> {
  await mkdir(spoolDir, { recursive: true });
  const handle = await open(encodeName(path), "r");
  try {
    const { size } = await handle.stat();
    const file = new FileWindow(handle, path, name);
    const start = part?.offset ?? 0;
    const last = part === undefined ? size : Math.min(size, start + part.size);
    const count = createEntryLimit(limits, printName(name));
    const members: InitrdMember[] = [];
    let unpacked = 0;
    let at = await skipNuls(file, start, last);
    while (at < last) {
      const offset = at - start;
      const magic = sniff(await file.read(at, 8));
      refuseMany(members.length, name, limits);
      if (magic === "cpio") {
        refuseMisaligned(name, offset);
        const { tree, end } = await readCpio(file, at, last, { count });
        members.push({ offset, size: end - at, compression: "none", tree, points: [] });
        at = end;
      } else if (magic === "gzip") {
        const spool = `${spoolDir}/member-${members.length}.cpio`;
        const { end, size: length, points } = await inflateMember(file, at, spool, limits, unpacked);
        if (end > last) throw overlong(name, offset);
        unpacked += length;
        for (const tree of await readArchives(spool, `${name}: member at offset ${offset}`, limits, count)) {
          members.push({ offset, size: end - at, compression: "gzip", tree, points });
        }
        at = end;
      } else if (magic === "xz" || magic === "zstd") {
        const spool = `${spoolDir}/member-${members.length}.cpio`;
        const member = { offset: at, size: last, kind: magic, before: unpacked };
        const { end, size: length } = await unpackMember(file, member, spool, limits);
        if (end > last) throw overlong(name, offset);
        unpacked += length;
        const points = [{ unpacked: length, packed: end - at }];
        for (const tree of await readArchives(spool, `${name}: member at offset ${offset}`, limits, count)) {
          members.push({ offset, size: end - at, compression: magic, tree, points });
        }
        at = end;
      } else throw unknownMember(name, offset, magic);
      at = await skipNuls(file, at, last);
    }
    return members;
  } finally {
    await handle.close();
  }
}

/** The archives of one unpacked member: the kernel accepts several, with NULs between them. */
async function readArchives(
  spool: string,
  name: string,
  limits: UnpackLimits,
  count: (path: string) => void,
): Promise<readonly FileTree[]> {
  const handle = await open(encodeName(spool), "r");
  try {
    const { size } = await handle.stat();
    const file = new FileWindow(handle, spool, name);
    const trees: FileTree[] = [];
    for (let at = await skipNuls(file, 0, size); at < size; at = await skipNuls(file, at, size)) {
      refuseMany(trees.length, name, limits);
      const { tree, end } = await readCpio(file, at, size, { count });
      trees.push(tree);
      at = end;
    }
    return trees;
  } finally {
    await handle.close();
  }
}

function refuseMany(archives: number, path: string, limits: UnpackLimits): void {
  const most = Math.ceil({ ...defaultLimits, ...limits }.maxEntries / entriesPerArchive);
  if (archives < most) return;
  throw new UserError(`the initrd consists of more than ${most} archives`, {
    code: "bomb",
    where: printName(path),
    hint: limitHint(limits, "maxEntries"),
  });
}

const nuls = Buffer.alloc(64 * 1024);

async function skipNuls(file: FileWindow, from: number, size: number): Promise<number> {
  let at = from;
  while (at < size) {
    const chunk = await file.read(at, Math.min(nuls.length, size - at));
    if (chunk.length === 0) break;
    // Comparing buffers is many times faster than testing each byte, and there may be gigabytes.
    if (!chunk.equals(nuls.subarray(0, chunk.length))) return at + chunk.findIndex((byte) => byte !== 0);
    at += chunk.length;
  }
  return size;
}

function refuseMisaligned(path: string, offset: number): void {
  if (offset % 4 === 0) return;
  throw new UserError("a plain cpio archive starts at an offset that is not a multiple of four", {
    code: "misaligned-archive",
    where: `${printName(path)}: offset ${offset}`,
    hint: "pad with NUL bytes before it: the kernel does not find it otherwise",
  });
}

function overlong(path: string, offset: number): UserError {
  return new UserError("the gzip member is truncated", {
    code: "bad-gzip",
    where: `${printName(path)}: gzip member at offset ${offset}`,
    hint: "download or build the file again: it is damaged or incomplete",
  });
}

function unknownMember(path: string, offset: number, magic: string): UserError {
  const where = `${printName(path)}: offset ${offset}`;
  if (magic === "unknown") {
    return new UserError("expected a cpio archive or a gzip member", {
      code: "not-an-initrd",
      where,
      hint: "check the file: it is damaged or not an initrd",
    });
  }
  return new UserError(
    `this part of the initrd is ${magic}; only plain, gzip, xz and zstd parts are supported`,
    {
      code: "unsupported-compression",
      where,
      hint: "unpack it, and compress it with gzip",
    },
  );
}
