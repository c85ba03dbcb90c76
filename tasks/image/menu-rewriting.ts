/**
 * Changes the names of files in an isolinux.cfg: everything else in its text stays as it is.
 *
 * Source: syslinux `doc/syslinux.cfg.txt` (KERNEL, LINUX, INITRD, APPEND, DEFAULT, ONTIMEOUT).
 */
import { onIso } from "../../src/formats/index.ts";

/** A directory that moved; both with slashes at both ends. */
export interface PathChange {
  readonly from: string;
  readonly to: string;
}

/**
 * `placeOf` gives the new path of a file, relative to the ISO's root, by its absolute path; undefined for what is no file of the
 * ISO. Files of one list that get the same place stand there once.
 */
export function rewriteMenu(
  text: string,
  change: PathChange | undefined,
  placeOf: (file: string) => string | undefined,
): string {
  const place = (word: string): string => {
    const path = placeOf(onIso(word));
    return path === undefined || `/${path}` === onIso(word) ? word : `/${path}`;
  };
  const list = (words: string): string => [...new Set(words.split(",").map(place))].join(",");
  const inOptions = (options: string): string =>
    options.replace(/(?<=^|\s)(initrd=)(\S+)/g, (_, key: string, files: string) => key + list(files));
  return text
    .replace(
      /^([ \t]*)(kernel|linux|initrd|append|default|ontimeout)([ \t]+)(\S+)(.*)$/gim,
      (_, indent: string, keyword: string, blank: string, first: string, rest: string) => {
        const file = { kernel: place, linux: place, initrd: list }[keyword.toLowerCase()];
        const value =
          file === undefined ? inOptions(startOf(first, place) + rest) : file(first) + inOptions(rest);
        return indent + keyword + blank + value;
      },
    )
    .replace(movedPaths(change), (_, before: string) => before + (change?.to ?? ""));
}

/** A command may begin with the path of a kernel, and else with a label's name or an option. */
function startOf(first: string, place: (word: string) => string): string {
  return first.startsWith("/") ? place(first) : first;
}

/** Where any value names the directory that moved: a picture, a module, another menu. */
function movedPaths(change: PathChange | undefined): RegExp {
  return change === undefined ? /(?!)()/ : new RegExp(`([\\s=,])${change.from}`, "gi");
}
