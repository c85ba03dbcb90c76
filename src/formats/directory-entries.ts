/** What lies below a directory, found without following links: Node's recursive readdir follows them in some versions (26). */
import type { Dirent } from "node:fs";
import { readdir } from "node:fs/promises";
import path from "node:path";

interface DirectoryEntry {
  /** Relative to the directory. */
  readonly path: string;
  readonly type: Dirent;
}

/** Every entry below `directory` (absolute), a directory before what it holds; those of one directory in no particular order. */
export async function entriesBelow(directory: string): Promise<readonly DirectoryEntry[]> {
  const found: DirectoryEntry[] = [];
  const visit = async (below: string): Promise<void> => {
    for (const type of await readdir(path.join(directory, below), { withFileTypes: true })) {
      const at = path.join(below, type.name);
      found.push({ path: at, type });
      if (type.isDirectory()) await visit(at);
    }
  };
  await visit("");
  return found;
}
