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
import { decodeName, encodeName, printName } from "./names.ts";
import { type RockRidge, readSystemUse, startsSystemUse } from "./rock-ridge.ts";
import { FileTree } from "./tree.ts";
import type { Metadata, TreeNode } from "./tree-node.ts";

/** A directory is read whole; no honest one is larger. */
const largestDirectory = 64 * 1024 * 1024;

/**
 * Reads the ISO at `iso` (absolute). Without Rock Ridge everything is root's, directories 0555 and files 0444, as
 * Linux shows them.
 * @throws UserError `not-an-iso`, `bad-iso`
 */
export async function readIsoTree(iso: string): Promise<FileTree> {
  const handle = await open(encodeName(iso), "r");
  try {
    const descriptors = await readDescriptors(handle, iso);
    const primary = descriptors.find(({ type }) => type === 1);
    const joliet = descriptors.find(({ type, bytes }) => type === 2 && isJoliet(bytes));
    if (primary === undefined) throw new Error("descriptors without a primary one");
    const { size } = await handle.stat();
    const plain = new IsoReader(handle, iso, size, "plain");
    const top = rootOf(primary.bytes);
    const skip = await plain.findSystemUse(top);
    if (skip !== undefined) return await new IsoReader(handle, iso, size, "rock-ridge", skip).read(top);
    if (joliet === undefined) return await plain.read(top);
    return await new IsoReader(handle, iso, size, "joliet").read(rootOf(joliet.bytes));
  } finally {
    await handle.close();
  }
}

function rootOf(descriptor: Buffer): DirectoryRecord {
  const root = recordAt(descriptor, 156);
  if (root === undefined) throw new Error("a descriptor has no root");
  return root;
}

class IsoReader {
  readonly #handle: FileHandle;
  readonly #iso: string;
  readonly #end: number;
  readonly #names: "plain" | "joliet" | "rock-ridge";
  /** Bytes of each system use area that are others' (SUSP, 5.3). */
  readonly #skip: number;
  readonly #seen = new Set<number>();
  readonly #tree = new FileTree();

  constructor(
    handle: FileHandle,
    iso: string,
    end: number,
    names: "plain" | "joliet" | "rock-ridge",
    skip = 0,
  ) {
    this.#handle = handle;
    this.#iso = iso;
    this.#end = end;
    this.#names = names;
    this.#skip = skip;
  }

  async findSystemUse(root: DirectoryRecord): Promise<number | undefined> {
    const [self] = await this.#records(root, ".");
    return self === undefined ? undefined : startsSystemUse(self.systemUse);
  }

  async read(root: DirectoryRecord): Promise<FileTree> {
    await this.#enter(root, "");
    return this.#tree;
  }

  async #enter(directory: DirectoryRecord, path: string): Promise<void> {
    if (this.#seen.has(directory.sector)) throw this.#bad("is a directory within itself", path);
    this.#seen.add(directory.sector);
    // The first two records are the directory itself and its parent.
    const records = (await this.#records(directory, path)).slice(2);
    for (let index = 0; index < records.length; index++) {
      const first = records[index];
      if (first === undefined) break;
      let { size, more } = first;
      while (more) {
        const next = records[++index];
        if (next === undefined || next.sector * isoSectorSize !== first.sector * isoSectorSize + size) {
          throw this.#bad("lies in pieces that do not follow one another", path);
        }
        size += next.size;
        more = next.more;
      }
      await this.#add({ ...first, size }, path);
    }
  }

  async #add(record: DirectoryRecord, folder: string): Promise<void> {
    const extra: RockRidge =
      this.#names === "rock-ridge"
        ? await readSystemUse(record.systemUse.subarray(this.#skip), (sector, offset, length) =>
            this.#bytes(sector * isoSectorSize + offset, length, folder),
          )
        : {};
    // Moved here because it lay too deep; where it belongs a link to it stands.
    if (extra.relocated === true) return;
    const name = extra.name ?? this.#nameOf(record.name);
    if (name === "" || name === "." || name === ".." || /[/\0]/.test(name)) {
      throw this.#bad(`holds the name ${printName(name)}`, folder);
    }
    const path = folder === "" ? name : `${folder}/${name}`;
    if (this.#tree.has(path)) throw this.#bad("is there twice", path);
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
    const [child] = await this.#records({ ...record, sector: extra.child, size: isoSectorSize }, path);
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
    if (extra.target !== undefined) return { type: "symlink", target: extra.target, ...metadata };
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
        if (record.size > 0 && offset + record.size > this.#end) throw this.#bad("is cut off", path);
        return {
          type: "file",
          content: { kind: "file", path: this.#iso, offset, size: record.size },
          ...metadata,
        };
      }
    }
  }

  #nameOf(name: Buffer): string {
    if (this.#names === "joliet") return Buffer.from(name).swap16().toString("utf16le").replace(/;\d+$/, "");
    return decodeName(name)
      .replace(/;\d+$/, "")
      .replace(/(?<=.)\.$/, "");
  }

  async #records(directory: DirectoryRecord, path: string): Promise<readonly DirectoryRecord[]> {
    if (directory.size > largestDirectory) throw this.#bad("is larger than any directory", path);
    const bytes = await this.#bytes(directory.sector * isoSectorSize, directory.size, path);
    const records = readRecords(bytes);
    if (records === undefined) throw this.#bad("holds a damaged entry", path);
    return records;
  }

  async #bytes(offset: number, length: number, path: string): Promise<Buffer> {
    if (offset + length > this.#end) throw this.#bad("is cut off", path);
    return await readAt(this.#handle, offset, length);
  }

  #bad(why: string, path: string): UserError {
    return new UserError(`the ISO is damaged: ${printName(path === "" ? "its root" : path)} ${why}`, {
      code: "bad-iso",
      where: printName(this.#iso),
      hint: "get the file again, or build it again",
    });
  }
}
