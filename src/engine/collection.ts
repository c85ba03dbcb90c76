/**
 * Garbage collection of the store: what no current result needs goes, the least recently used results first, once
 * the store is larger than its limit. It sweeps what is on disk, so blobs that no record knows go too.
 */
import { readdirSync, statSync } from "node:fs";
import { rm } from "node:fs/promises";
import path from "node:path";
import { digestOfFile } from "./digest.ts";
import { decodeListing } from "./listing.ts";
import type { Digest, Fingerprint } from "./names.ts";
import type { Stamp } from "./stamp.ts";
import type { State } from "./state.ts";

export interface Collection {
  /** Bytes of all blobs before and after. */
  readonly before: number;
  readonly after: number;
  readonly removedBlobs: number;
  readonly forgottenResults: number;
}

/** Brings the store below `maxSize` bytes, as far as current results allow. Needs the lock. */
export async function collectGarbage(state: State, maxSize: number): Promise<Collection> {
  const sizes = sizesOnDisk(state.store.root);
  const before = [...sizes.values()].reduce((sum, size) => sum + size, 0);
  if (before <= maxSize) return { before, after: before, removedBlobs: 0, forgottenResults: 0 };

  const current = new Set<Fingerprint>(state.stamps.currentFingerprints());
  const results = [...state.stamps.results()].sort((a, b) => b.usedAt - a.usedAt);
  const kept = new Set<Digest>();
  let total = 0;
  let forgottenResults = 0;
  // Current results first, whatever their size; then the others, newest first, while they fit.
  for (const pass of ["current", "other"] as const) {
    for (const { stamp } of results) {
      if (current.has(stamp.fingerprint) !== (pass === "current")) continue;
      const added = [...blobsOf(stamp)].filter((digest) => !kept.has(digest));
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
    await rm(state.store.pathOf(digest), { force: true });
    removedBlobs += 1;
  }
  return { before, after: total, removedBlobs, forgottenResults };
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
  for (const [digest, size] of sizesOnDisk(state.store.root)) {
    const file = state.store.pathOf(digest);
    if ((await digestOfFile(file, size)) === digest) continue;
    await rm(file, { force: true });
    damaged.push(digest);
  }
  return damaged;
}

function* blobsOf(stamp: Stamp): IterableIterator<Digest> {
  for (const entry of decodeListing(stamp.outputs).values()) if (entry.type === "file") yield entry.digest;
  for (const [label, value] of stamp.parts) if (label.startsWith("input ")) yield value as Digest;
  if (stamp.log !== undefined) yield stamp.log;
  yield* stamp.texts ?? [];
}

function sizesOnDisk(root: string): ReadonlyMap<Digest, number> {
  const sizes = new Map<Digest, number>();
  for (const folder of list(root)) {
    for (const name of list(path.join(root, folder))) {
      const size = statSync(path.join(root, folder, name), { throwIfNoEntry: false })?.size;
      if (size !== undefined) sizes.set(`${folder}${name}` as Digest, size);
    }
  }
  return sizes;
}

function list(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
