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

/** Replaces the directory wherever a value names it: a picture, a module, a kernel, another menu. */
export function moveNames(text: string, { from, to }: PathChange): string {
  return text.replace(new RegExp(`([\\s=,])${from}`, "gi"), (_, before: string) => before + to);
}

/**
 * `placeOf` gives the new path of a file, relative to the ISO's root, by its absolute path; undefined for what is no file of the
 * ISO. Files of one list that get the same place stand there once.
 */
export function rewriteMenu(text: string, placeOf: (file: string) => string | undefined): string {
  const place = (word: string): string => {
    const path = placeOf(onIso(word));
    return path === undefined || `/${path}` === onIso(word) ? word : `/${path}`;
  };
  const list = (words: string): string => [...new Set(words.split(",").map(place))].join(",");
  const inOptions = (options: string): string =>
    options.replace(/(?<=^|\s)(initrd=)(\S+)/g, (_, key: string, files: string) => key + list(files));
  // A command may begin with the path of a kernel, and else with a label's name or an option.
  const inCommand = (word: string): string => inOptions(word.startsWith("/") ? place(word) : word);
  return text.replace(
    /^([ \t]*)(kernel|linux|initrd|append|default|ontimeout|(?:menu[ \t]+)?include)([ \t]+)(\S+)(.*)$/gim,
    (_, indent: string, keyword: string, blank: string, first: string, rest: string) => {
      const kind = keyword.toLowerCase();
      const change = kind === "initrd" ? list : /^(append|default|ontimeout)$/.test(kind) ? inCommand : place;
      return indent + keyword + blank + change(first) + inOptions(rest);
    },
  );
}
