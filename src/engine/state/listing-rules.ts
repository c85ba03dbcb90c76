/**
 * Validates listings of outputs, which may come from a cache that others can write to.
 */
import type { BoundOutput } from "../bind/bound-task.ts";
import type { ListedEntry, Listing } from "../files/listing.ts";

/** As many links as Linux follows on the way to one file (path_resolution(7)). */
const mostLinks = 40;

/**
 * Whether a task with these outputs can have made the listing: each output is there, is of the declared kind and holds
 * all paths; names are plain; nothing lies below a file or a link; and no link leaves its output.
 */
export function isSound(listing: Listing, outputs: readonly Pick<BoundOutput, "slot" | "kind">[]): boolean {
  const slots = new Set<string>();
  for (const { slot, kind } of outputs) {
    if (listing.get(slot)?.type !== kind) return false;
    slots.add(slot);
  }
  for (const name of listing.keys()) {
    const at = name.lastIndexOf("/");
    if (at === -1 ? !slots.has(name) : listing.get(name.slice(0, at))?.type !== "directory") return false;
    if (!isPlainName(name.slice(at + 1))) return false;
  }
  return escapingLink(listing) === undefined;
}

/** Neither empty nor `.` or `..`, and without NUL or lone surrogates, which the file system would not return unchanged. */
function isPlainName(name: string): boolean {
  return name !== "" && name !== "." && name !== ".." && isPlainText(name);
}

function isPlainText(text: string): boolean {
  return text !== "" && !text.includes("\0") && !/\p{Surrogate}/u.test(text);
}

/** The first link that leaves its output or has an invalid target. */
export function escapingLink(listing: Listing): string | undefined {
  for (const [name, entry] of listing)
    if (entry.type === "link" && !staysInside(name, entry, listing)) return name;
  return undefined;
}

/** Follows a link name by name, as the kernel does: `a/..` is another directory where `a` is a link. */
function staysInside(name: string, link: ListedEntry & { type: "link" }, listing: Listing): boolean {
  const here = name.split("/").slice(0, -1);
  let open = targetOf(link);
  let followed = 0;
  while (open !== undefined && open.length > 0) {
    const next = open.shift() ?? "";
    if (next === "" || next === ".") continue;
    if (next === "..") {
      // The first name is the output itself: what is above it belongs to others.
      if (here.length <= 1) return false;
      here.pop();
      continue;
    }
    here.push(next);
    const entry = listing.get(here.join("/"));
    if (entry?.type !== "link") continue;
    followed += 1;
    // A loop of links never leaves the output.
    if (followed > mostLinks) return true;
    here.pop();
    const inner = targetOf(entry);
    open = inner === undefined ? undefined : [...inner, ...open];
  }
  return open !== undefined;
}

/** The segments of a link's target; undefined where it is absolute or invalid. */
function targetOf({ target }: ListedEntry & { type: "link" }): string[] | undefined {
  return target.startsWith("/") || !isPlainText(target) ? undefined : target.split("/");
}
