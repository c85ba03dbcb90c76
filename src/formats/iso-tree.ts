/**
 * The files of an ISO as a tree, read without any tool: names are bytes, contents are referred to where they lie.
 * Rock Ridge where the ISO has it, else Joliet, else plain names.
 *
 * Sources: ECMA-119, 9 and 10; SUSP (IEEE P1281) and Rock Ridge (P1282) 1.12; the Joliet specification.
 */
import { type FileHandle, open } from "node:fs/promises";
import { UserError } from "../errors/index.ts";
import { isJoliet, isoSectorSize, readAt, readDescriptors } from "./iso-descriptors.ts";
import { type DirectoryRecord, readRecords, recordAt } from "./iso-directory.ts";
import { DirectoryExtents } from "./iso-extents.ts";
import { createEntryLimit, createLimit, defaultLimits, type UnpackLimits } from "./limits.ts";
import { decodeName, encodeName, printName, printPath } from "./names.ts";
import { type RockRidge, readSystemUse, startsSystemUse } from "./rock-ridge.ts";
import { FileTree } from "./tree.ts";
import type { Metadata, TreeNode } from "./tree-node.ts";

/** A directory is read whole; no honest one is larger. */
const largestDirectory = 64 * 1024 * 1024;

/** PATH_MAX: Linux follows no longer link, and has no longer name. */
const longestTarget = 4096;

/**
 * Reads the ISO at `iso` (absolute). Without Rock Ridge everything is root's, directories 0555 and files 0444, as
 * Linux shows them.
 * @throws UserError `not-an-iso`, `bad-iso`, `bomb`
 */
export async function readIsoTree(iso: string, limits: UnpackLimits = {}): Promise<FileTree> {
  const handle = await open(encodeName(iso), "r");
  try {
    const descriptors = await readDescriptors(handle, iso);
    const joliet = descriptors.find(({ type, bytes }) => type === 2 && isJoliet(bytes));
    const { size } = await handle.stat();
    const reader = (names: NameKind, skip?: number) =>
      new IsoReader({ handle, iso, size, limits, names, skip });
    const plain = reader("plain");
    const top = plain.rootOf(descriptors.find(({ type }) => type === 1)?.bytes);
    const skip = await plain.findSystemUse(top);
    if (skip !== undefined) return await reader("rock-ridge", skip).read(top);
    if (joliet === undefined) return await plain.read(top);
    return await reader("joliet").read(plain.rootOf(joliet.bytes));
  } finally {
    await handle.close();
  }
}

type NameKind = "plain" | "joliet" | "rock-ridge";

interface ReaderOptions {
  readonly handle: FileHandle;
  readonly iso: string;
  /** Bytes of the ISO. */
  readonly size: number;
  readonly limits: UnpackLimits;
  readonly names: NameKind;
  /** Bytes to skip at the start of each system use area (SUSP, 5.3). */
  readonly skip: number | undefined;
}

class IsoReader {
  readonly #options: ReaderOptions;
  readonly #count: (path: string) => void;
  readonly #checkSize: (takenIn: number, givenOut: number) => void;
  readonly #extents = new DirectoryExtents();
  readonly #tree = new FileTree();
  /** Bytes of continuation areas so far: they do not overlap in a valid ISO, so they are no more than its size. */
  #continued = 0;
  /** Bytes of all files so far: more than the ISO has where they overlap. */
  #held = 0;

  constructor(options: ReaderOptions) {
    this.#options = options;
    const { iso, size, limits } = options;
    this.#count = createEntryLimit(limits, printName(iso));
    const { maxBytes } = { ...defaultLimits, ...limits };
    // A large ISO is no bomb, so its own size is always allowed.
    this.#checkSize = createLimit({ ...limits, maxBytes: Math.max(maxBytes, size) }, printName(iso));
  }

  rootOf(descriptor: Buffer | undefined): DirectoryRecord {
    const root = descriptor === undefined ? undefined : recordAt(descriptor, 156);
    if (root === undefined) throw this.#bad("has no record in the volume descriptor", "");
    return root;
  }

  async findSystemUse(root: DirectoryRecord): Promise<number | undefined> {
    const self = await this.#first(root, "");
    return self === undefined ? undefined : startsSystemUse(self.systemUse);
  }

  async read(root: DirectoryRecord): Promise<FileTree> {
    await this.#enter(root, "");
    return this.#tree;
  }

  async #enter(directory: DirectoryRecord, path: string): Promise<void> {
    const other = this.#extents.claim(directory.sector, directory.size, path);
    if (other !== undefined) {
      throw this.#bad(`shares its sectors with ${other === "" ? "the root" : printPath(other)}`, path);
    }
    const records = this.#records(await this.#content(directory, path), path);
    // The first two records are the directory itself and its parent.
    records.next();
    records.next();
    for (const first of records) {
      let { size, more } = first;
      while (more) {
        const next = records.next().value;
        if (next === undefined || next.sector * isoSectorSize !== first.sector * isoSectorSize + size) {
          throw this.#bad("consists of extents that are not contiguous", path);
        }
        size += next.size;
        more = next.more;
      }
      await this.#add({ ...first, size }, path);
    }
  }

  async #add(record: DirectoryRecord, directory: string): Promise<void> {
    const { names, skip = 0 } = this.#options;
    const extra: RockRidge =
      names === "rock-ridge"
        ? await readSystemUse(record.systemUse.subarray(skip), (...place) =>
            this.#continuation(...place, directory),
          )
        : {};
    // Moved here because it lay too deep; where it belongs a link to it stands.
    if (extra.relocated === true) return;
    const name = extra.name ?? this.#nameOf(record.name, directory);
    if (name === "" || name === "." || name === ".." || /[/\0]/.test(name)) {
      throw this.#bad(`contains the name ${printName(name)}`, directory);
    }
    const path = directory === "" ? name : `${directory}/${name}`;
    if (path.length >= longestTarget) throw this.#bad("has a path longer than Linux allows", path);
    this.#count(path);
    if (this.#tree.has(path)) throw this.#bad("exists twice", path);
    const isDirectory = record.directory || extra.child !== undefined;
    const metadata: Metadata = {
      mode: extra.mode === undefined ? (isDirectory ? 0o555 : 0o444) : extra.mode & 0o7777,
      uid: extra.uid ?? 0,
      gid: extra.gid ?? 0,
      mtime: extra.mtime ?? record.mtime,
    };
    this.#tree.set(path, this.#node(record, extra, metadata, isDirectory, path));
    if (!isDirectory) return;
    if (extra.child === undefined) return await this.#enter(record, path);
    const child = await this.#first({ ...record, sector: extra.child, size: isoSectorSize }, path);
    if (child === undefined) throw this.#bad("has no content", path);
    await this.#enter({ ...child, sector: extra.child }, path);
  }

  #node(
    record: DirectoryRecord,
    extra: RockRidge,
    metadata: Metadata,
    isDirectory: boolean,
    path: string,
  ): TreeNode {
    if (isDirectory) return { type: "directory", ...metadata };
    if (extra.target !== undefined) {
      if (extra.target.length >= longestTarget) throw this.#bad("is a link longer than Linux allows", path);
      return { type: "symlink", target: extra.target, ...metadata };
    }
    const { major = 0, minor = 0 } = extra;
    switch ((extra.mode ?? 0) & 0o170000) {
      case 0o020000:
        return { type: "char", major, minor, ...metadata };
      case 0o060000:
        return { type: "block", major, minor, ...metadata };
      case 0o010000:
        return { type: "fifo", ...metadata };
      default: {
        const offset = record.sector * isoSectorSize;
        const { iso, size: end } = this.#options;
        if (record.size > 0 && offset + record.size > end) throw this.#bad("is truncated", path);
        this.#held += record.size;
        this.#checkSize(end, this.#held);
        return { type: "file", content: { kind: "file", path: iso, offset, size: record.size }, ...metadata };
      }
    }
  }

  #nameOf(name: Buffer, directory: string): string {
    if (this.#options.names === "joliet") {
      if (name.length % 2 !== 0) throw this.#bad("contains a name with half a character", directory);
      return Buffer.from(name).swap16().toString("utf16le").replace(/;\d+$/, "");
    }
    return decodeName(name)
      .replace(/;\d+$/, "")
      .replace(/(?<=.)\.$/, "");
  }

  async #first(directory: DirectoryRecord, path: string): Promise<DirectoryRecord | undefined> {
    const size = Math.min(directory.size, isoSectorSize);
    return this.#records(await this.#content({ ...directory, size }, path), path).next().value ?? undefined;
  }

  *#records(content: Buffer, path: string): Generator<DirectoryRecord, undefined> {
    for (const record of readRecords(content)) {
      if (record === undefined) throw this.#bad("contains a damaged entry", path);
      yield record;
    }
    return undefined;
  }

  async #content({ sector, size }: DirectoryRecord, path: string): Promise<Buffer> {
    if (size > largestDirectory) throw this.#bad("is too large for a directory", path);
    return await this.#bytes(sector * isoSectorSize, size, path);
  }

  /** Linux reads no area that leaves its sector, either (`fs/isofs/rock.c`, rock_continue). */
  async #continuation(sector: number, offset: number, length: number, directory: string): Promise<Buffer> {
    this.#continued += length;
    if (offset + length > isoSectorSize || this.#continued > this.#options.size) {
      throw this.#bad("contains an entry with a damaged continuation", directory);
    }
    return await this.#bytes(sector * isoSectorSize + offset, length, directory);
  }

  async #bytes(offset: number, length: number, path: string): Promise<Buffer> {
    const { handle, size } = this.#options;
    if (offset + length > size) throw this.#bad("is truncated", path);
    return await readAt(handle, offset, length);
  }

  #bad(why: string, path: string): UserError {
    return new UserError(`the ISO is damaged: ${path === "" ? "its root" : printPath(path)} ${why}`, {
      code: "bad-iso",
      where: printName(this.#options.iso),
      hint: "download or build the file again",
    });
  }
}
