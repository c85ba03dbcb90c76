/** Follows the symlinks that an input's patterns match, so that their targets count too. */

import { readdirSync } from "node:fs";
import path from "node:path";
import { systemErrorCode, UserError } from "../../errors/index.ts";
import { type AbsolutePath, byteOrder, cacheDirectory, isBelow, pathBelow } from "../define/names.ts";
import { realPath, wayBehind } from "./link-path.ts";
import { type ListedEntry, listed } from "./listing.ts";
import type { StatCache } from "./stat-cache.ts";

/** Where links may lead to directories: below the workspace, or below the input's own root (both absolute). */
interface LinkBounds {
  readonly workspace: AbsolutePath;
  readonly root: AbsolutePath;
}

/**
 * The files and links behind `link` (absolute), by absolute path: each link on the way, then the file, or everything in the
 * directory. A dangling link has nothing behind it. @throws UserError `input-link` for a directory whose content cannot be
 * tracked: outside of the bounds, in the cache, or one that contains the link.
 */
export async function behindLink(
  link: AbsolutePath,
  bounds: LinkBounds,
  files: StatCache,
  into: Map<AbsolutePath, ListedEntry> = new Map(),
): Promise<ReadonlyMap<AbsolutePath, ListedEntry>> {
  const { links, end } = wayBehind(link);
  for (const one of links.slice(1)) {
    const entry = await files.at(one);
    if (entry?.type === "link") into.set(one, { type: "link", target: entry.target });
  }
  // Also where nothing is: something may come.
  if (end !== undefined) await files.at(end);
  const real = targetOf(link);
  const entry = real === undefined ? undefined : await files.at(real);
  if (real === undefined || entry === undefined || into.has(real)) return into;
  if (entry.type === "directory") {
    refuseUntellable(link, real, bounds);
    await collect(real, bounds, files, into);
    return into;
  }
  const kept = listed(entry);
  if (kept === undefined) throw refused(link, "leads to a device, a socket or a pipe");
  into.set(real, kept);
  return into;
}

/** The real path of a link's target; undefined where it is dangling or part of a loop. */
function targetOf(link: string): AbsolutePath | undefined {
  try {
    return realPath(link);
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === "ENOENT" || code === "ELOOP" || code === "ENOTDIR") return undefined;
    throw error;
  }
}

async function collect(
  directory: AbsolutePath,
  bounds: LinkBounds,
  files: StatCache,
  into: Map<AbsolutePath, ListedEntry>,
): Promise<void> {
  // The entry marks the directory as collected.
  into.set(directory, { type: "directory" });
  for (const name of readdirSync(directory).sort(byteOrder)) {
    const at = pathBelow(directory, name);
    const entry = await files.at(at);
    if (entry === undefined || into.has(at)) continue;
    if (entry.type === "directory") await collect(at, bounds, files, into);
    else {
      const kept = listed(entry);
      if (kept === undefined) throw refused(at, "is a link to a device, a socket or a pipe");
      into.set(at, kept);
      if (entry.type === "link") await behindLink(at, bounds, files, into);
    }
  }
}

function refuseUntellable(
  link: AbsolutePath,
  directory: AbsolutePath,
  { workspace, root }: LinkBounds,
): void {
  const home = targetOf(workspace) ?? workspace;
  const top = targetOf(root) ?? root;
  const parent = targetOf(path.dirname(link)) ?? path.dirname(link);
  if (isIn(parent, directory)) throw refused(link, "leads to a directory that contains it");
  if (isIn(directory, path.join(home, cacheDirectory))) throw refused(link, "leads into the cache");
  if (!isIn(directory, home) && !isIn(directory, top))
    throw refused(link, "leads to a directory outside the workspace");
}

function isIn(inner: string, outer: string): boolean {
  return inner === outer || isBelow(inner, outer);
}

function refused(link: string, what: string): UserError {
  return new UserError(`a link in an input ${what}`, {
    code: "input-link",
    where: link,
    hint: 'declare its target as an input of its own, exclude the link, or write links: "keep" if the task never follows it',
  });
}
