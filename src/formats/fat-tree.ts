/**
 * The files of a FAT12, FAT16 or FAT32 file system as a tree, read without any tool; contents stay where they are. Owners and modes,
 * which FAT does not have, are those of a mount by root: 0:0, 0755.
 *
 * Format: Microsoft, "FAT: General Overview of On-Disk Format", 1.03; long names: "FAT Long Name Specification" in it.
 */
import type { FileHandle } from "node:fs/promises";
import { type DiskPart, DiskWindow, readRuns } from "./disk-window.ts";
import { FatClusters, readBootSector } from "./fat-clusters.ts";
import { type FatRecord, fatRecords } from "./fat-record.ts";
import { createEntryLimit, createLimit, defaultLimits, type UnpackLimits } from "./limits.ts";
import { printName, printPath } from "./names.ts";
import { openRegularFile } from "./regular-file.ts";
import { FileTree } from "./tree.ts";
import type { FileNode } from "./tree-node.ts";

const problem = { code: "bad-file-system", what: "FAT" } as const;
const owner = { mode: 0o755, uid: 0, gid: 0 } as const;

/**
 * The tree of the file system in `part` of the open disk; `label` is how errors name it.
 * @throws UserError `bad-file-system`, `bomb`
 */
export async function readFatTree(
  handle: FileHandle,
  part: DiskPart,
  { label, limits = {} }: { readonly label: string; readonly limits?: UnpackLimits },
): Promise<FileTree> {
  const window = new DiskWindow(handle, part, { ...problem, label });
  const clusters = new FatClusters(window, await readBootSector(window));
  return await new FatReader(window, clusters, limits).read();
}

class FatReader {
  readonly #window: DiskWindow;
  readonly #clusters: FatClusters;
  readonly #count: (path: string) => void;
  readonly #checkSize: (takenIn: number, givenOut: number) => void;
  readonly #tree = new FileTree();
  readonly #entered = new Set<number>();
  #held = 0;

  constructor(window: DiskWindow, clusters: FatClusters, limits: UnpackLimits) {
    this.#window = window;
    this.#clusters = clusters;
    const where = printName(window.label);
    this.#count = createEntryLimit(limits, where);
    const { maxBytes } = { ...defaultLimits, ...limits };
    this.#checkSize = createLimit({ ...limits, maxBytes: Math.max(maxBytes, window.part.size) }, where);
  }

  async read(): Promise<FileTree> {
    await this.#enter(0, "");
    return this.#tree;
  }

  /** `first` is the first cluster of a directory; 0 for the root. */
  async #enter(first: number, directory: string): Promise<void> {
    if (this.#entered.has(first)) throw this.#bad(directory, "is a directory in itself");
    this.#entered.add(first);
    for (const record of fatRecords(await this.#clusters.directory(first))) {
      const { name } = record;
      if (name === "." || name === "..") continue;
      if (name === "" || /[/\0]/.test(name))
        throw this.#bad(directory, `contains the name ${printName(name)}`);
      const path = directory === "" ? name : `${directory}/${name}`;
      this.#count(path);
      if (this.#tree.has(path)) throw this.#bad(path, "exists twice");
      const metadata = { ...owner, mtime: record.mtime };
      if (!record.isDirectory) {
        this.#tree.set(path, { type: "file", content: this.#contentOf(record), ...metadata });
        continue;
      }
      this.#tree.set(path, { type: "directory", ...metadata });
      // The root has no cluster of its own, so a directory without one is damaged.
      if (record.first === 0) throw this.#bad(path, "has no content");
      await this.#enter(record.first, path);
    }
  }

  #contentOf({ first, size }: FatRecord): FileNode["content"] {
    this.#held += size;
    this.#checkSize(this.#window.part.size, this.#held);
    if (size === 0) return { kind: "bytes", bytes: Buffer.alloc(0) };
    const [{ part, label }, clusters] = [this.#window, this.#clusters];
    async function* unpack(): AsyncGenerator<Uint8Array> {
      const handle = await openRegularFile(part.path, label);
      try {
        const window = new DiskWindow(handle, part, { ...problem, label });
        yield* readRuns(window, clusters.on(window).runs(first, size));
      } finally {
        await handle.close();
      }
    }
    return { kind: "packed", size, unpack };
  }

  #bad(path: string, why: string) {
    return this.#window.bad(`is damaged: ${path === "" ? "its root" : printPath(path)} ${why}`);
  }
}
