/**
 * Garbage collection of the store: what no current result needs goes, the least recently used results first, once
 * the store is larger than its limit. It sweeps what is on disk, so blobs that no record knows go too.
 */
import { lstatSync, readdirSync } from "node:fs";
import path from "node:path";
import { type Digest, type Fingerprint, isDigest } from "../define/names.ts";
import { decodeListing } from "../files/listing.ts";
import { partsSuffix } from "./blob-parts.ts";
import type { Stamp } from "./stamp.ts";
import type { State } from "./state.ts";
import type { Store } from "./store.ts";

export interface GarbageCollection {
  /** Bytes of all blobs before and after. */
  readonly before: number;
  readonly after: number;
  readonly removedBlobs: number;
  readonly forgottenResults: number;
}

/** Brings the store below `maxSize` bytes, as far as current results allow. Needs the lock. */
export async function collectGarbage(state: State, maxSize: number): Promise<GarbageCollection> {
  const { store } = state;
  // Frequent builds need not look at the whole store each time.
  const expected = store.expectedSize;
  if (expected !== undefined && expected <= maxSize) {
    rememberSize(state, false);
    return unchanged(expected);
  }
  const sizes = sizesOnDisk(store.root);
  const before = [...sizes.values()].reduce((sum, size) => sum + size, 0);
  store.expectedSize = before;
  rememberSize(state, true);
  if (before <= maxSize) return unchanged(before);

  const current = new Set<Fingerprint>(state.stamps.currentFingerprints());
  const results = [...state.stamps.results()].sort((a, b) => b.usedAt - a.usedAt);
  const kept = new Set<Digest>();
  let total = 0;
  let forgottenResults = 0;
  // Current results first, whatever their size; then the others, newest first, while they fit.
  for (const pass of ["current", "other"] as const) {
    for (const { stamp } of results) {
      if (current.has(stamp.fingerprint) !== (pass === "current")) continue;
      const added = [...withParts(blobsOf(stamp), state.store)].filter((digest) => !kept.has(digest));
      const size = added.reduce((sum, digest) => sum + (sizes.get(digest) ?? 0), 0);
      if (pass === "current" || total + size <= maxSize) {
        for (const digest of added) kept.add(digest);
        total += size;
      } else {
        state.stamps.forget(stamp.fingerprint);
        forgottenResults += 1;
      }
    }
  }
  // First the records, then the blobs: a crash in between leaves blobs nobody needs, not records without blobs.
  state.save();
  let removedBlobs = 0;
  for (const digest of sizes.keys()) {
    if (kept.has(digest)) continue;
    await state.store.remove(digest);
    removedBlobs += 1;
  }
  store.expectedSize = total;
  rememberSize(state, true);
  return { before, after: total, removedBlobs, forgottenResults };
}

function unchanged(size: number): GarbageCollection {
  return { before: size, after: size, removedBlobs: 0, forgottenResults: 0 };
}

/** Key in the file log: bytes in the store, and the number of builds since the store was last scanned. */
const sizeKey = "store size";

/** Builds after which the store is scanned again: a build that was killed did not record what it had stored. */
const buildsCounted = 50;

/** Reads the store's size as the last build recorded it. Needs the lock. */
export function recallSize({ store, fileLog }: State): void {
  const [bytes, builds] = (fileLog.get(sizeKey) ?? "").split(" ").map(Number);
  if (bytes === undefined || builds === undefined || !(builds < buildsCounted) || !(bytes >= 0)) return;
  store.expectedSize ??= bytes;
}

/** Records the store's size for the next build; `looked` says that this build has just scanned the store. */
function rememberSize({ store, fileLog }: State, looked: boolean): void {
  if (store.expectedSize === undefined) return;
  const builds = looked ? 0 : Number(fileLog.get(sizeKey)?.split(" ")[1] ?? 0) + 1;
  fileLog.set(sizeKey, `${store.expectedSize} ${builds}`);
}

/** How much the store holds, by looking at it. */
export function storeStatistics(state: State): {
  readonly blobs: number;
  readonly bytes: number;
  readonly results: number;
} {
  const sizes = sizesOnDisk(state.store.root);
  const bytes = [...sizes.values()].reduce((sum, size) => sum + size, 0);
  return { blobs: sizes.size, bytes, results: [...state.stamps.results()].length };
}

/** Reads every blob and removes those whose content is not what their name says; returns their digests. */
export async function verifyStore(state: State): Promise<readonly Digest[]> {
  const damaged: Digest[] = [];
  for (const digest of sizesOnDisk(state.store.root).keys()) {
    if (await state.store.isWhole(digest)) continue;
    await state.store.remove(digest);
    damaged.push(digest);
  }
  return damaged;
}

/** The contents, each once, and those that they are kept as parts of. */
function withParts(digests: Iterable<Digest>, store: Store): ReadonlySet<Digest> {
  const all = new Set<Digest>();
  const add = (digest: Digest): void => {
    if (all.has(digest)) return;
    all.add(digest);
    for (const part of store.partsOf(digest) ?? []) add(part);
  };
  for (const digest of digests) add(digest);
  return all;
}

function* blobsOf(stamp: Stamp): IterableIterator<Digest> {
  for (const entry of decodeListing(stamp.outputs)?.values() ?? [])
    if (entry.type === "file") yield entry.digest;
  for (const [label, value] of stamp.parts) if (label.startsWith("input ") && isDigest(value)) yield value;
  if (stamp.log !== undefined) yield stamp.log;
  yield* stamp.texts ?? [];
}

function sizesOnDisk(root: string): ReadonlyMap<Digest, number> {
  const sizes = new Map<Digest, number>();
  for (const directory of list(root)) {
    for (const name of list(path.join(root, directory))) {
      const size = lstatSync(path.join(root, directory, name), { throwIfNoEntry: false })?.size;
      const digest = `${directory}${name.endsWith(partsSuffix) ? name.slice(0, -partsSuffix.length) : name}`;
      // Files with other names are not the store's, and are left alone.
      if (size !== undefined && isDigest(digest)) sizes.set(digest, size + (sizes.get(digest) ?? 0));
    }
  }
  return sizes;
}

/** The names in a directory; none where it is a symlink, as its target does not belong to the store. */
function list(directory: string): readonly string[] {
  try {
    return lstatSync(directory).isDirectory() ? readdirSync(directory) : [];
  } catch {
    return [];
  }
}
