/** What lies below a folder, found without following links: Node's recursive readdir follows them in some versions (26). */
import type { Dirent } from "node:fs";
import { readdir } from "node:fs/promises";
import path from "node:path";

interface FolderEntry {
  /** Relative to the folder. */
  readonly path: string;
  readonly type: Dirent;
}

/** Every entry below `folder` (absolute), a folder before what it holds; those of one folder in no particular order. */
export async function entriesBelow(folder: string): Promise<readonly FolderEntry[]> {
  const found: FolderEntry[] = [];
  const visit = async (below: string): Promise<void> => {
    for (const type of await readdir(path.join(folder, below), { withFileTypes: true })) {
      const at = path.join(below, type.name);
      found.push({ path: at, type });
      if (type.isDirectory()) await visit(at);
    }
  };
  await visit("");
  return found;
}
