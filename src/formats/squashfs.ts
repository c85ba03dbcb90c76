/** squashfs files (Tiny Core's extensions) through squashfs-tools. */
import { mkdir, rm, stat, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { UserError } from "../errors/index.ts";
import type { Shell } from "../host/index.ts";
import { type ModePolicy, treeFromDirectory } from "./directory.ts";
import { createLimit, limitEntries, type UnpackLimits } from "./limits.ts";
import { compareNames, encodeName, parentOf, printName } from "./names.ts";
import { listSquashfs, type SquashfsEntry } from "./squashfs-listing.ts";
import { readSquashfsSuperblock } from "./squashfs-superblock.ts";
import { withTool } from "./tool-failure.ts";
import { FileTree } from "./tree.ts";

export interface SquashfsOptions {
  /** Seconds since 1970, for the file system and every entry. */
  readonly epoch: number;
  /** Modes and owners; without it modes are the disk's and everything is root's. */
  readonly policy?: ModePolicy;
  /** Device nodes beside the directory's entries; only with a policy. */
  readonly devices?: FileTree;
}

export interface ExtractOptions {
  /** Refuse set-user-id and set-group-id files (default true). */
  readonly refuseSetId?: boolean;
  /** Refuse device nodes, fifos and sockets (default true). */
  readonly refuseDevices?: boolean;
  /** Limits on what it may unpack to. */
  readonly limits?: UnpackLimits;
  /** Name of the file in errors; by default its path. */
  readonly label?: string;
}

/**
 * Packs the directory `dir` as the squashfs file `out` (both absolute; `out` is replaced): gzip, blocks of 4 KiB, no extended
 * attributes, as Tiny Core packs its extensions. The bytes depend on names, contents, modes and `epoch` only,
 * and with a policy not on the disk's modes either.
 * @throws UserError `tool-failed`, `tool-missing`, `unsafe-name`
 */
export async function packSquashfs(
  $: Shell,
  dir: string,
  out: string,
  options: SquashfsOptions,
): Promise<void> {
  const modes = `${out}.modes`;
  // mksquashfs refuses its time options when SOURCE_DATE_EPOCH is set, and that variable alone would only
  // cut off newer times. The root directory's mode is that of a scratch directory, so it is always given.
  const time = ["-mkfs-time", `${options.epoch}`, "-all-time", `${options.epoch}`];
  const format = ["-b", "4096", "-no-xattrs", "-noappend", "-processors", "1", "-no-progress", "-quiet"];
  const root = ["-root-mode", "755", "-root-uid", "0", "-root-gid", "0"];
  await rm(out, { force: true });
  try {
    const owners =
      options.policy === undefined
        ? ["-all-root"]
        : await writeModes(dir, modes, options.policy, options.devices);
    await withTool({ tool: "mksquashfs", what: "pack the squashfs file", where: out }, () => {
      return $`env -u SOURCE_DATE_EPOCH mksquashfs ${dir} ${out} ${format} ${root} ${time} ${owners}`;
    });
  } finally {
    await rm(modes, { force: true });
  }
}

/** Writes mksquashfs's "pseudo file" with a line for every entry, and returns the options that use it. */
async function writeModes(
  dir: string,
  modes: string,
  policy: ModePolicy,
  devices = new FileTree(),
): Promise<readonly string[]> {
  const tree = (await treeFromDirectory(dir, { mtime: 0, policy })).addTree(devices);
  const lines: Buffer[] = [];
  for (const [path, node] of tree) {
    const { mode, uid, gid, type } = node;
    if (path.includes("\n")) {
      throw new UserError("a name with a line break cannot be packed", {
        code: "unsafe-name",
        where: printName(`${dir}/${path}`),
        hint: "rename the file",
      });
    }
    // A link's mode means nothing, and mksquashfs has no line for it other than its owner's.
    const bits = type === "symlink" ? "0777" : mode.toString(8).padStart(4, "0");
    const quoted = `"${path.replace(/["\\]/g, "\\$&")}"`;
    // mksquashfs(1), PSEUDO FILE DEFINITIONS: `NAME c|b MODE UID GID MAJOR MINOR`.
    const line =
      node.type === "char" || node.type === "block"
        ? `${quoted} ${node.type === "char" ? "c" : "b"} ${bits} ${uid} ${gid} ${node.major} ${node.minor}\n`
        : `${quoted} m ${bits} ${uid} ${gid}\n`;
    lines.push(encodeName(line));
  }
  await writeFile(modes, Buffer.concat(lines));
  return lines.length === 0 ? ["-all-root"] : ["-pf", modes];
}

/**
 * Unpacks the named paths (or all) of `file` into `dir` (absolute; made when missing, its other files stay). A named
 * directory includes what is below it. Owners are the caller's. The listing is checked before anything is unpacked.
 * @throws UserError `member-missing`, `unsafe-entry`, `bomb`, `bad-squashfs`, `tool-failed`, `tool-missing`
 */
export async function extractSquashfs(
  $: Shell,
  file: string,
  names: readonly string[] | "all",
  dir: string,
  options: ExtractOptions = {},
): Promise<void> {
  const { label = file, limits = {} } = options;
  await readSquashfsSuperblock(file, label);
  const entries = await listSquashfs($, file, label);
  limitEntries(entries.length, limits, printName(label));
  refuseOverlaps(entries, label);
  const wanted = selectEntries(entries, names, label);
  const { size: packed } = await stat(encodeName(file));
  let total = 0;
  for (const entry of wanted) {
    refuseUnsafe(entry, label, options);
    total += entry.size;
    createLimit(limits, printName(`${label}: ${entry.path}`))(packed, total);
  }
  if (names !== "all" && names.length === 0) return;
  await mkdir(dirname(dir), { recursive: true });
  const paths = names === "all" ? [] : names;
  const context = { tool: "unsquashfs", what: "unpack the squashfs file", where: label };
  await withTool(context, () => {
    // Without -no-wildcards a name like "a[1]" would be taken for a pattern.
    const options = ["-no-progress", "-quiet", "-no-xattrs", "-no-wildcards", "-force", "-dest", dir];
    return $`unsquashfs ${options} ${file} ${paths}`;
  });
}

/**
 * Refuses a name that is there twice, and entries below something that is no directory: an older unsquashfs would write such a file
 * through a link of the same name (CVE-2021-41072).
 */
function refuseOverlaps(entries: readonly SquashfsEntry[], label: string): void {
  const types = new Map<string, SquashfsEntry["type"]>();
  for (const { path, type } of entries) {
    const parent = parentOf(path);
    const twice = types.has(path);
    types.set(path, type);
    if (!twice && (parent === undefined || types.get(parent) === "directory")) continue;
    const what = twice ? "two entries of the same name" : "an entry below a path that is not a directory";
    throw new UserError(`the squashfs file contains ${what}`, {
      code: "unsafe-entry",
      where: printName(`${label}: ${path}`),
      hint: "get the file from a source that you trust",
    });
  }
}

function selectEntries(
  entries: readonly SquashfsEntry[],
  names: readonly string[] | "all",
  file: string,
): readonly SquashfsEntry[] {
  if (names === "all") return entries;
  const present = new Set(entries.map(({ path }) => path));
  const missing = names.filter((name) => !present.has(name)).sort(compareNames);
  if (missing.length > 0) {
    throw new UserError(`the squashfs file has no ${missing.map(printName).join(", ")}`, {
      code: "member-missing",
      where: printName(file),
      hint: "list its files with `unsquashfs -l`",
    });
  }
  return entries.filter(({ path }) => names.some((name) => path === name || path.startsWith(`${name}/`)));
}

function refuseUnsafe(entry: SquashfsEntry, file: string, options: ExtractOptions): void {
  const { refuseSetId = true, refuseDevices = true } = options;
  const setId = entry.type === "file" && (entry.mode & 0o6000) !== 0;
  const special = !["file", "directory", "symlink"].includes(entry.type);
  if (!(setId && refuseSetId) && !(special && refuseDevices)) return;
  const what = setId ? "a set-user-id or set-group-id file" : `a ${entry.type} node`;
  throw new UserError(`the squashfs file contains ${what}, which is not allowed`, {
    code: "unsafe-entry",
    where: printName(`${file}: ${entry.path}`),
    hint: "get the file from a source that you trust",
  });
}
