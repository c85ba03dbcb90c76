/**
 * Outputs on disk: what is there now, putting new ones in place, and bringing stored ones back.
 *
 * Nothing is ever written through a path that others see: a new output is made beside and renamed, so an interrupted
 * build leaves either the old output or the new one.
 */
import {
  chmodSync,
  close,
  constants,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  realpathSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
} from "node:fs";
import { chmod, copyFile, lstat, mkdir, readdir, rename, rm, symlink } from "node:fs/promises";
import path from "node:path";
import { systemErrorCode, UserError } from "../errors/index.ts";
import { type FileTable, settleTime } from "./file-table.ts";
import type { BoundOutput } from "./graph.ts";
import type { Joiner } from "./joiner.ts";
import { type ListedEntry, type Listing, listed, listingOf } from "./listing.ts";
import type { AbsolutePath } from "./names.ts";
import type { Store } from "./store.ts";

/** Where an output is looked for: its own place, or the one it was staged at. */
export type OutputPlaces = ReadonlyMap<string, AbsolutePath>;

export function placesOf(outputs: readonly BoundOutput[]): OutputPlaces {
  return new Map(outputs.map((output) => [output.slot, output.path]));
}

/** What stands at the places now. Paths are `slot` for an output itself, `slot/path` for what a folder holds. */
export async function listOutputs(places: OutputPlaces, files: FileTable): Promise<Listing> {
  const entries: [string, ListedEntry][] = [];
  for (const [slot, root] of places) {
    // A link is an entry of its own: what lies behind it is not looked at.
    const top = files.at(root);
    const isFolder = (top instanceof Promise ? await top : top)?.type === "directory";
    for (const relative of isFolder ? walk(root, "") : [""]) {
      const found = files.at((relative === "" ? root : `${root}/${relative}`) as AbsolutePath);
      const entry = found instanceof Promise ? await found : found;
      const name = relative === "" ? slot : `${slot}/${relative}`;
      if (entry === undefined) {
        // Something is there and cannot be looked at: no result ever had it, so it must show as a difference.
        if (isUnreadable(relative)) entries.push([name, { type: "directory" }]);
        continue;
      }
      const kept = listed(entry);
      if (kept === undefined) {
        throw new UserError(`the output ${name} is a device, a socket or a pipe`, {
          code: "output-type",
          where: path.join(root, relative),
          hint: "outputs are files, folders and links; devices belong into an archive",
        });
      }
      entries.push([name, kept]);
    }
  }
  return listingOf(entries);
}

/** Node gives a name's bytes that are no UTF-8 as U+FFFD: where nothing has that name, something has the other. */
function isUnreadable(name: string): boolean {
  return name.includes("\ufffd");
}

/** The path itself and everything below it, relative to it; links are not followed. */
function* walk(root: string, relative: string): IterableIterator<string> {
  yield relative;
  let children: readonly import("node:fs").Dirent[];
  try {
    children = readdirSync(relative === "" ? root : `${root}/${relative}`, { withFileTypes: true });
  } catch (error) {
    if (systemErrorCode(error) === "ENOTDIR" || systemErrorCode(error) === "ENOENT") return;
    throw error;
  }
  for (const child of children) {
    const below = relative === "" ? child.name : `${relative}/${child.name}`;
    if (child.isDirectory()) yield* walk(root, below);
    else yield below;
  }
}

/** Puts every regular file of a listing into the store: what was joined as its parts, all else as it is. */
export async function storeOutputs(
  places: OutputPlaces,
  listing: Listing,
  store: Store,
  joiner: Joiner,
): Promise<void> {
  for (const [name, entry] of listing) {
    if (entry.type !== "file") continue;
    const file = pathIn(places, name);
    const parts = joiner.partsOf(file, entry.digest);
    if (parts === undefined) await store.putFile(file, entry.digest, entry.size);
    else await store.putJoined(parts, entry.digest);
  }
}

/** Hands what is known of the staged files of a listing on to the places where they stand now. */
export function handOver(
  staged: OutputPlaces,
  placed: OutputPlaces,
  listing: Listing,
  { files, joiner }: { readonly files: FileTable; readonly joiner: Joiner },
): void {
  for (const [name, entry] of listing) {
    const [from, to] = [pathIn(staged, name), pathIn(placed, name)];
    if (entry.type === "file") {
      files.moved(from, to);
      joiner.moved(from, to);
    } else files.forget(from);
  }
}

/** Remembers the digests of files that were just brought out of the store, where each was checked. */
export function vouchFor(staged: OutputPlaces, listing: Listing, files: FileTable): void {
  for (const [name, entry] of listing) {
    if (entry.type !== "file") continue;
    const file = pathIn(staged, name);
    settleTime(file);
    files.vouch(file, entry.digest);
  }
}

/** The first file of the listing that `unstoreOutputs` would miss in the store; undefined when it has all. */
export function firstNotStored(listing: Listing, store: Store): string | undefined {
  for (const [name, entry] of listing) if (entry.type === "file" && !store.has(entry.digest)) return name;
  return undefined;
}

/** Makes the listing's files at the places, which must not exist. False when a blob turned out to be damaged. */
export async function unstoreOutputs(places: OutputPlaces, listing: Listing, store: Store): Promise<boolean> {
  for (const [name, entry] of listing) {
    const target = pathIn(places, name);
    switch (entry.type) {
      case "directory":
        await mkdir(target, { recursive: true });
        break;
      case "link":
        await symlink(entry.target, target);
        break;
      case "file":
        if (!(await store.copyOut(entry.digest, target, entry.executable))) return false;
        break;
    }
  }
  return true;
}

/** Where the entry of a listing is. */
export function pathIn(places: OutputPlaces, name: string): AbsolutePath {
  const slash = name.indexOf("/");
  const slot = slash === -1 ? name : name.slice(0, slash);
  const root = places.get(slot);
  if (root === undefined) throw new Error(`no place for the output ${slot}`);
  return (slash === -1 ? root : path.join(root, name.slice(slash + 1))) as AbsolutePath;
}

/**
 * Moves a staged output to its place, replacing what was there. `trash` is a folder on the cache's file system for
 * what is replaced; the caller removes it. Below `outputRoot` every folder is the engine's: whatever else stands in
 * the way there, a link that leads elsewhere for one, is removed.
 */
export async function placeOutput(
  staged: string,
  output: BoundOutput,
  trash: string,
  outputRoot: string,
): Promise<void> {
  if (output.place === "cache") clearWay(path.dirname(output.path), outputRoot);
  makeFolder(path.dirname(output.path));
  const old = lstatIfThere(output.path);
  if (old !== undefined && (old.isDirectory() || output.kind === "directory")) {
    mkdirSync(trash, { recursive: true });
    await move(output.path, path.join(trash, output.slot));
  }
  const release = old?.isFile() ? hold(output.path) : undefined;
  try {
    await move(staged, output.path);
  } finally {
    release?.();
  }
}

/**
 * Keeps a file that is about to be replaced. To free a large one takes the kernel longer than anything else here does:
 * with this, it happens when the returned function is called, on another thread, and nobody waits for it.
 */
function hold(file: string): (() => void) | undefined {
  try {
    const handle = openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    return () => close(handle, () => undefined);
  } catch {
    return undefined;
  }
}

/**
 * Refuses an artefact whose folder is reached through a link that leaves the workspace (absolute path): nothing is
 * written there that the workspace does not own. To be called before the work that makes it. What does not exist yet
 * is no link.
 */
export function refuseEscape(output: BoundOutput, workspace: string): void {
  if (output.place === "cache") return;
  const folder = path.dirname(output.path);
  const names = path.relative(workspace, folder).split("/");
  let way = workspace;
  for (const name of names) {
    way = path.join(way, name);
    const status = lstatIfThere(way);
    if (status === undefined) return;
    if (!status.isSymbolicLink()) continue;
    const target = realpathIfThere(way);
    const home = realpathSync(workspace);
    if (target !== undefined && (target === home || target.startsWith(`${home}/`))) continue;
    throw new UserError("an output's folder is a link that leaves the workspace", {
      code: "output-escapes",
      where: way,
      hint: "make it a folder (a bind mount may put it on another disk), or move the link's target into the workspace",
    });
  }
}

function realpathIfThere(target: string): string | undefined {
  try {
    return realpathSync(target);
  } catch {
    return undefined;
  }
}

function clearWay(folder: string, outputRoot: string): void {
  const names = path.relative(path.dirname(outputRoot), folder).split("/");
  let way = path.dirname(outputRoot);
  for (const name of names) {
    way = path.join(way, name);
    const status = lstatIfThere(way);
    if (status === undefined) return;
    if (!status.isDirectory()) {
      rmSync(way);
      return;
    }
  }
}

function makeFolder(folder: string): void {
  try {
    // To look is half the work of making it in vain.
    if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) mkdirSync(folder, { recursive: true });
  } catch (error) {
    const code = systemErrorCode(error);
    if (code !== "EEXIST" && code !== "ENOTDIR") throw error;
    throw new UserError("an output's folder cannot be made: something else has its name", {
      code: "output-blocked",
      where: folder,
      hint: "move away what stands there",
      cause: error,
    });
  }
}

/** Renames, or across file systems copies beside the target and renames there. */
async function move(from: string, to: string): Promise<void> {
  try {
    renameSync(from, to);
  } catch (error) {
    if (systemErrorCode(error) !== "EXDEV") throw error;
    const beside = path.join(path.dirname(to), `.${path.basename(to)}.${process.pid}.tmp`);
    try {
      await copyTree(from, beside);
      await rename(beside, to);
    } catch (copyError) {
      await rm(beside, { recursive: true, force: true });
      throw copyError;
    }
    await rm(from, { recursive: true });
  }
}

async function copyTree(from: string, to: string): Promise<void> {
  const { cp } = await import("node:fs/promises");
  const status = await lstat(from);
  if (status.isFile()) return copyFile(from, to);
  await cp(from, to, { recursive: true, verbatimSymlinks: true });
}

/**
 * Gives every staged file and folder the mode that does not depend on who builds, 0644 or 0755, and every file a time
 * after which its digest can be remembered. Those that `isDone` knows have both. @throws UserError `output-name` for
 * a name that is not UTF-8: what cannot be named could be neither kept nor brought back.
 */
export function settleStaged(root: string, isDone: (file: string) => boolean): void {
  const status = lstatIfThere(root);
  if (status === undefined && isUnreadable(path.basename(root))) {
    throw new UserError(`the name ${path.basename(root)} in an output is not UTF-8`, {
      code: "output-name",
      where: root,
      hint: "give it another name, or put it into an archive: names in archives may be any bytes",
    });
  }
  if (status === undefined || status.isSymbolicLink() || isDone(root)) return;
  if (status.isDirectory()) {
    if ((status.mode & 0o7777) !== 0o755) chmodSync(root, 0o755);
    for (const child of readdirSync(root)) settleStaged(path.join(root, child), isDone);
  } else if (status.isFile()) {
    const mode = (status.mode & 0o111) === 0 ? 0o644 : 0o755;
    if ((status.mode & 0o7777) !== mode) chmodSync(root, mode);
    settleTime(root);
  }
}

/** Removes a tree whatever the modes in it: a folder that may not be written keeps what it holds from going. */
export async function removeTree(root: string): Promise<void> {
  try {
    await rm(root, { recursive: true, force: true });
  } catch (error) {
    const code = systemErrorCode(error);
    if (code !== "EACCES" && code !== "EPERM" && code !== "ENOTEMPTY") throw error;
    // What the first attempt began goes on meanwhile, so that entries may vanish, or not be gone yet.
    await openFolders(root);
    await rm(root, { recursive: true, force: true, maxRetries: 10, retryDelay: 20 });
  }
}

async function openFolders(folder: string): Promise<void> {
  try {
    await chmod(folder, 0o700);
    for (const child of await readdir(folder, { withFileTypes: true })) {
      if (child.isDirectory()) await openFolders(path.join(folder, child.name));
    }
  } catch (error) {
    if (systemErrorCode(error) !== "ENOENT") throw error;
  }
}

function lstatIfThere(target: string): Stats | undefined {
  return lstatSync(target, { throwIfNoEntry: false });
}
