/**
 * A listing: what stands at a set of paths, in one canonical text whose digest names the whole set.
 *
 * Inputs, outputs and restored results are all compared as listings. A listing maps onto the Remote Execution API's
 * `Directory`: sorted names, sha256 digests, the executable bit, link targets; nothing of owners or times.
 */

import { createHash, type Hash } from "node:crypto";
import { byteOrder, type Digest, digestFrom, sortEntries } from "../define/names.ts";
import { digestOfBytes } from "./digest.ts";
import type { FileEntry } from "./stat-cache.ts";

export type ListedEntry =
  | {
      readonly type: "file";
      readonly executable: boolean;
      /** Only its owner may read it (an output's mode 0600); never set in a listing of inputs. */
      readonly private?: boolean;
      readonly digest: Digest;
      readonly size: number;
    }
  | { readonly type: "link"; readonly target: string }
  | { readonly type: "directory" };

/** Path (relative, or absolute for what lies outside the workspace) → entry, in byte order of the paths. */
export type Listing = ReadonlyMap<string, ListedEntry>;

export function listingOf(entries: readonly (readonly [path: string, entry: ListedEntry])[]): Listing {
  return new Map(sortEntries(entries));
}

/**
 * The entry of an output; undefined for special files, which a listing cannot hold. File entries are not copied, to save
 * memory with a hundred thousand files.
 */
export function listedOutput(entry: FileEntry): ListedEntry | undefined {
  switch (entry.type) {
    case "link":
      return { type: "link", target: entry.target };
    case "file":
    case "directory":
      return entry;
    case "special":
      return undefined;
  }
}

/** The entry of an input. Its permissions depend on the umask of the checkout, so they do not count. */
export function listed(entry: FileEntry): ListedEntry | undefined {
  if (entry.type !== "file" || !entry.private) return listedOutput(entry);
  const { type, executable, digest, size } = entry;
  return { type, executable, digest, size };
}

/** One line an entry: `f|x|p digest size path` (0644, 0755, 0600), `l target path`, `d path`; paths and targets are JSON strings. */
export function encodeListing(listing: Listing): string {
  let text = "";
  for (const [path, entry] of listing) text += lineOf(path, entry);
  return text;
}

/** The line of one entry. */
export function lineOf(path: string, entry: ListedEntry): string {
  return `${encodeEntry(entry)} ${JSON.stringify(path)}\n`;
}

function encodeEntry(entry: ListedEntry): string {
  switch (entry.type) {
    case "file":
      return `${entry.private === true ? "p" : entry.executable ? "x" : "f"} ${entry.digest} ${entry.size}`;
    case "link":
      return `l ${JSON.stringify(entry.target)}`;
    case "directory":
      return "d";
  }
}

const linePattern = /^(?:([fxp]) ([0-9a-f]{64}) (\d{1,15})|l ("(?:[^"\\]|\\.)*")|(d)) ("(?:[^"\\]|\\.)*")$/;

/** The inverse of `encodeListing`; undefined for a text that it cannot have written, down to order and spelling. */
export function decodeListing(text: string): Listing | undefined {
  const listing = new Map<string, ListedEntry>();
  for (const line of text.split("\n")) {
    if (line === "") continue;
    const match = linePattern.exec(line);
    if (match === null) return undefined;
    const [, kind, digest, size, target, , quoted = ""] = match;
    const path = textIn(quoted);
    if (path === undefined) return undefined;
    let entry: ListedEntry = { type: "directory" };
    if (kind !== undefined && digest !== undefined) {
      const base = {
        type: "file",
        executable: kind === "x",
        digest: digestFrom(digest),
        size: Number(size),
      } as const;
      entry = kind === "p" ? { ...base, private: true } : base;
    } else if (target !== undefined) {
      const meant = textIn(target);
      if (meant === undefined) return undefined;
      entry = { type: "link", target: meant };
    }
    listing.set(path, entry);
  }
  // This also rejects duplicate and unsorted paths.
  return encodeListing(listingOf([...listing])) === text ? listing : undefined;
}

function textIn(quoted: string): string | undefined {
  try {
    return JSON.parse(quoted) as string;
  } catch {
    return undefined;
  }
}

/** Characters of an encoded listing that are hashed at once: of a hundred thousand files the whole would be megabytes. */
const pieceLength = 16_384;

/** The digest of the encoded listing. */
export function digestOfListing(listing: Listing): Digest {
  let sum: Hash | undefined;
  let piece = "";
  for (const [path, entry] of listing) {
    piece += lineOf(path, entry);
    if (piece.length < pieceLength) continue;
    sum = (sum ?? createHash("sha256")).update(piece);
    piece = "";
  }
  return sum === undefined ? digestOfBytes(piece) : digestFrom(sum.update(piece).digest("hex"));
}

export type ListingChange = {
  readonly path: string;
  readonly change: "added" | "removed" | "changed" | "mode changed" | "type changed";
};

/** What turns `before` into `after`, in byte order of the paths. */
export function compareListings(before: Listing, after: Listing): readonly ListingChange[] {
  const changes: ListingChange[] = [];
  for (const [path, old] of before) {
    const now = after.get(path);
    if (now === undefined) changes.push({ path, change: "removed" });
    else if (encodeEntry(old) !== encodeEntry(now)) changes.push({ path, change: describe(old, now) });
  }
  for (const path of after.keys()) if (!before.has(path)) changes.push({ path, change: "added" });
  return changes.sort((a, b) => byteOrder(a.path, b.path));
}

function describe(old: ListedEntry, now: ListedEntry): ListingChange["change"] {
  if (old.type !== now.type) return "type changed";
  if (old.type === "file" && now.type === "file" && old.digest === now.digest) return "mode changed";
  return "changed";
}

/** Digest of a task's outputs, or of those in the slots: what its dependents see of it. */
export function digestOfOutputs(outputs: Listing, slots?: readonly string[]): Digest {
  if (slots === undefined) return digestOfListing(outputs);
  const seen = [...outputs].filter(([name]) => slots.includes(name.split("/")[0] ?? ""));
  return digestOfListing(new Map(seen));
}
