/**
 * Modes on disk that somebody set, told from those that a checkout's umask explains: git keeps one bit of a mode, so all
 * others are the umask's, unless a file differs from most of the tree.
 */
import { lstatSync, readdirSync, type Stats } from "node:fs";
import path from "node:path";

export interface DiskMode {
  /** Relative to the directory that was read. */
  readonly path: string;
  readonly type: "file" | "directory";
  /** With set-user-id, set-group-id and sticky bits. */
  readonly mode: number;
}

/** Reads the modes of all files and directories below `root` (absolute), in byte order; entries at its top that `ignored` names are left out. */
export function readDiskModes(root: string, ignored: ReadonlySet<string>): readonly DiskMode[] {
  const modes: DiskMode[] = [];
  const read = (below: string): void => {
    for (const entry of namesIn(path.join(root, below))) {
      if (below === "" && ignored.has(entry)) continue;
      const name = path.join(below, entry);
      const status = statusOf(path.join(root, name));
      if (status?.isFile() !== true && status?.isDirectory() !== true) continue;
      const type = status.isFile() ? "file" : "directory";
      modes.push({ path: name, type, mode: status.mode & 0o7777 });
      if (type === "directory") read(name);
    }
  };
  read("");
  return modes;
}

/** Undefined in a directory that may be listed but not searched, too. */
function statusOf(file: string): Stats | undefined {
  try {
    return lstatSync(file);
  } catch {
    return undefined;
  }
}

/** None for a directory that is not there or cannot be read: the step that packs it reports that. */
function namesIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory).sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  } catch {
    return [];
  }
}

/** The umask that explains most of the modes; the most permissive one of several. Its executable bits follow its read bits. */
export function commonUmask(modes: readonly DiskMode[]): number {
  const counts = new Map<number, number>();
  for (const { mode } of modes) {
    const denied = ~mode & 0o066;
    const umask = denied | ((denied & 0o044) >> 2);
    counts.set(umask, (counts.get(umask) ?? 0) + 1);
  }
  const [most] = [...counts].sort(([a, many], [b, more]) => more - many || a - b);
  return most?.[0] ?? 0o022;
}

/** Modes that no umask explains: those of files and directories that differ from what most of the tree has. */
export function unexplainedModes(modes: readonly DiskMode[]): readonly DiskMode[] {
  const umask = commonUmask(modes);
  return modes.filter(({ type, mode }) => {
    const made = type === "directory" || (mode & 0o100) !== 0 ? 0o777 : 0o666;
    return mode !== (made & ~umask);
  });
}

/**
 * Modes that a program in the image could tell from the usual 0755 and 0644: set-id and sticky bits, no permission for others to
 * read, permission for others to write. Owner and group are root's, so their permissions mean nothing there. A directory's
 * set-group-id bit counts only where the directory around the tree, of the mode `around`, has none: it is inherited.
 */
export function meaningfulModes(modes: readonly DiskMode[], around: number): readonly DiskMode[] {
  const umask = commonUmask(modes);
  const usual = 0o777 & ~umask & 0o006;
  return modes.filter(({ type, mode }) => {
    const inherited = type === "directory" ? around & 0o2000 : 0;
    if ((mode & 0o7000 & ~inherited) !== 0) return true;
    return (usual & ~mode & 0o004) !== 0 || (mode & ~usual & 0o002) !== 0;
  });
}

/** A mode as chmod takes it: `4755`, `0600`. */
export function octal(mode: number): string {
  return mode.toString(8).padStart(4, "0");
}
