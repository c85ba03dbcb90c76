/**
 * Outputs on disk: what is there now, keeping it in the store, and bringing it back. Where outputs are put, and how, is another
 * module's matter.
 */

import { chmodSync, constants, copyFileSync, lstatSync, readdirSync, renameSync, type Stats } from "node:fs";
import { mkdir, symlink } from "node:fs/promises";
import path from "node:path";
import { systemErrorCode, UserError } from "../../errors/index.ts";
import type { BoundOutput } from "../bind/bound-task.ts";
import type { AbsolutePath } from "../define/names.ts";
import { pathBelow } from "../define/names.ts";
import type { Concatenator } from "../files/concatenation.ts";
import { type ListedEntry, type Listing, listedOutput, listingOf } from "../files/listing.ts";
import { markMtime, type StatCache } from "../files/stat-cache.ts";
import type { Store } from "./store.ts";

/** Where an output is looked for: its own place, or the one it was staged at. */
export type OutputPlaces = ReadonlyMap<string, AbsolutePath>;

export function placesOf(outputs: readonly BoundOutput[]): OutputPlaces {
  return new Map(outputs.map((output) => [output.slot, output.path]));
}

/** What stands at the places now. Paths are `slot` for an output itself, `slot/path` for what a directory holds. */
export async function listOutputs(places: OutputPlaces, files: StatCache): Promise<Listing> {
  const entries: [string, ListedEntry][] = [];
  for (const [slot, root] of places) {
    // A link is an entry of its own: what lies behind it is not looked at.
    const top = files.at(root);
    const isDirectory = (top instanceof Promise ? await top : top)?.type === "directory";
    for (const relative of isDirectory ? walk(root, "") : [""]) {
      const found = files.at(pathBelow(root, relative));
      const entry = found instanceof Promise ? await found : found;
      const name = relative === "" ? slot : `${slot}/${relative}`;
      if (entry === undefined) {
        // Something is there and cannot be looked at: no result ever had it, so it must show as a difference.
        if (isUnreadable(relative)) entries.push([name, { type: "directory" }]);
        continue;
      }
      const kept = listedOutput(entry);
      if (kept === undefined) {
        throw new UserError(`the output ${name} is a device, a socket or a pipe`, {
          code: "output-type",
          where: path.join(root, relative),
          hint: "write files, directories or symlinks; put devices into an archive",
        });
      }
      entries.push([name, kept]);
    }
  }
  return listingOf(entries);
}

/** The same without waiting; undefined where a digest has to be computed or a file is missing. */
export function listKnownOutputs(places: OutputPlaces, files: StatCache): Listing | undefined {
  const entries: [string, ListedEntry][] = [];
  for (const [slot, root] of places) {
    for (const relative of isDirectory(files.at(root)) ? walk(root, "") : [""]) {
      const entry = files.at(pathBelow(root, relative));
      const kept = entry === undefined || entry instanceof Promise ? undefined : listedOutput(entry);
      if (kept === undefined) return undefined;
      entries.push([relative === "" ? slot : `${slot}/${relative}`, kept]);
    }
  }
  return listingOf(entries);
}

function isDirectory(entry: ReturnType<StatCache["at"]>): boolean {
  return entry !== undefined && !(entry instanceof Promise) && entry.type === "directory";
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

/** Puts every regular file of a listing into the store, without sparse outputs: what was joined as its parts, all else as it is. */
export async function storeOutputs(
  outputs: readonly BoundOutput[],
  places: OutputPlaces,
  listing: Listing,
  store: Store,
  concatenator: Concatenator,
): Promise<void> {
  const sparse = sparseSlots(outputs);
  for (const [name, entry] of listing) {
    if (entry.type !== "file" || sparse.has(slotOf(name))) continue;
    const file = pathIn(places, name);
    const parts = concatenator.partsOf(file, entry.digest);
    const access = entry.private === true ? "private" : "public";
    if (parts === undefined) await store.putFile(file, entry.digest, entry.size, access);
    else await store.putConcatenation(parts, entry.digest, access);
  }
}

function sparseSlots(outputs: readonly BoundOutput[]): ReadonlySet<string> {
  return new Set(outputs.flatMap(({ slot, sparse }) => (sparse ? [slot] : [])));
}

/** Hands what is known of the staged files of a listing on to the places where they stand now. */
export function handOver(
  staged: OutputPlaces,
  placed: OutputPlaces,
  listing: Listing,
  { files, concatenator }: { readonly files: StatCache; readonly concatenator: Concatenator },
): void {
  for (const [name, entry] of listing) {
    const [from, to] = [pathIn(staged, name), pathIn(placed, name)];
    if (entry.type === "file") {
      files.moved(from, to);
      concatenator.moved(from, to);
    } else files.forget(from);
  }
}

/** Remembers the digests of files that were just brought out of the store, where each was checked. */
export function recordWrittenOutputs(staged: OutputPlaces, listing: Listing, files: StatCache): void {
  for (const [name, entry] of listing) {
    if (entry.type !== "file") continue;
    const file = pathIn(staged, name);
    markMtime(file);
    files.recordWritten(file, entry.digest);
  }
}

/** The first file of the listing that `unstoreOutputs` would miss in the store; undefined when it has all. */
export function firstNotStored(listing: Listing, store: Store): string | undefined {
  for (const [name, entry] of listing) if (entry.type === "file" && !store.has(entry.digest)) return name;
  return undefined;
}

/**
 * Makes the files of a sound listing at the places, which must not exist. False when a blob turned out to be damaged.
 */
export async function unstoreOutputs(
  outputs: readonly BoundOutput[],
  places: OutputPlaces,
  listing: Listing,
  store: Store,
): Promise<boolean> {
  const secret = new Set(outputs.filter((output) => output.private).map(({ slot }) => slot));
  for (const [name, entry] of listing) {
    const target = pathIn(places, name);
    switch (entry.type) {
      case "directory":
        await mkdir(target, { mode: secret.has(slotOf(name)) ? 0o700 : 0o755 });
        break;
      case "link":
        await symlink(entry.target, target);
        break;
      case "file":
        if (!(await store.copyOut(entry.digest, target, modeOf(entry)))) return false;
        break;
    }
  }
  return true;
}

function modeOf(entry: ListedEntry & { readonly type: "file" }): number {
  if (entry.private === true) return 0o600;
  return entry.executable ? 0o755 : 0o644;
}

/** The output that an entry of a listing belongs to. */
export function slotOf(name: string): string {
  return name.split("/", 1)[0] ?? "";
}

/** Where the entry of a listing is. */
export function pathIn(places: OutputPlaces, name: string): AbsolutePath {
  const slot = slotOf(name);
  const root = places.get(slot);
  if (root === undefined) throw new Error(`no place for the output ${slot}`);
  return pathBelow(root, slot === name ? "" : name.slice(slot.length + 1));
}

interface Settling {
  /** Only the owner may read the files. */
  readonly private: boolean;
  /** Whether a file has its mode and its time already. */
  readonly isDone: (file: string) => boolean;
  /** Called with the inode of a file that has other names too, once the output is a copy of it. */
  readonly onUnlinked: (inode: bigint) => void;
}

/**
 * Gives every staged file and directory the mode that does not depend on who builds, 0644 or 0755 (0600 or 0700 where it is
 * private), and every file a time after which its digest can be remembered. @throws UserError `output-name` for a name
 * that is not UTF-8: such a file could be neither stored nor restored.
 */
export function normalizeStaged(root: string, how: Settling): void {
  const status = lstatIfThere(root);
  if (status === undefined && isUnreadable(path.basename(root))) {
    throw new UserError(`the name ${path.basename(root)} in an output is not valid UTF-8`, {
      code: "output-name",
      where: root,
      hint: "rename it, or pack it into an archive, where names may be any bytes",
    });
  }
  if (status === undefined || status.isSymbolicLink() || how.isDone(root)) return;
  if (status.isDirectory()) {
    giveMode(root, status, how.private ? 0o700 : 0o755);
    for (const child of readdirSync(root)) normalizeStaged(path.join(root, child), how);
  } else if (status.isFile()) {
    if (status.nlink > 1) how.onUnlinked(breakLink(root));
    giveMode(root, status, how.private ? 0o600 : (status.mode & 0o111) === 0 ? 0o644 : 0o755);
    markMtime(root);
  }
}

function giveMode(target: string, status: Stats, mode: number): void {
  if ((status.mode & 0o7777) !== mode) chmodSync(target, mode);
}

/**
 * Puts a copy in the place of a file that has other names too, and returns its inode: it may be an input, whose mode and
 * times are the user's, or a blob of the store.
 */
function breakLink(file: string): bigint {
  const { ino } = lstatSync(file, { bigint: true });
  const beside = path.join(path.dirname(file), `.unlinked-${process.pid}-${ino}`);
  copyFileSync(file, beside, constants.COPYFILE_FICLONE | constants.COPYFILE_EXCL);
  renameSync(beside, file);
  return ino;
}

function lstatIfThere(target: string): Stats | undefined {
  return lstatSync(target, { throwIfNoEntry: false });
}
