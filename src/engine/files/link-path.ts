/** The way that the system takes behind a symlink: one link after the other, also those in the middle of a target's path. */

import { lstatSync, readlinkSync, realpathSync } from "node:fs";
import path from "node:path";
import type { AbsolutePath } from "../define/names.ts";
import { absolutePath } from "../define/names.ts";

interface LinkWay {
  /** Absolute paths of all links on the way, the first one included, none below another link. */
  readonly links: readonly AbsolutePath[];
  /** Absolute path of what the way ends at, be something there or not; undefined where it is a circle. */
  readonly end: AbsolutePath | undefined;
}

/** As many links as Linux follows (path_resolution(7)); more is a circle. */
const mostLinks = 40;

/** The way that begins at `link` (absolute). A `..` behind a link means the directory above the link's target. */
export function wayBehind(link: string): LinkWay {
  const links: AbsolutePath[] = [];
  let at = realDirectory(path.dirname(link));
  let rest: readonly string[] = [path.basename(link)];
  for (;;) {
    const [name, ...more] = rest;
    if (name === undefined) return { links, end: absolutePath(at) };
    rest = more;
    const next = path.join(at, name);
    const target = name === ".." ? undefined : targetIn(next);
    if (target === undefined) {
      at = next;
      continue;
    }
    links.push(absolutePath(next));
    if (links.length > mostLinks) return { links, end: undefined };
    if (target.startsWith("/")) at = "/";
    rest = [...target.split("/").filter((one) => one !== "" && one !== "."), ...rest];
  }
}

/**
 * The path (absolute) with all links resolved; throws as realpath(3) fails. `fs.realpathSync` by itself takes a `..` in a link's
 * target by its letters (lib/fs.js resolves targets with path.resolve), and finds another file than the one that is opened.
 */
export function realPath(place: string): AbsolutePath {
  return absolutePath(realpathSync.native(place));
}

function realDirectory(directory: string): string {
  try {
    return realPath(directory);
  } catch {
    return directory;
  }
}

/** What a link says; undefined where there is none. */
function targetIn(place: string): string | undefined {
  try {
    return lstatSync(place).isSymbolicLink() ? readlinkSync(place) : undefined;
  } catch {
    return undefined;
  }
}
