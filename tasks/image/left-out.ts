/** What a Core ISO has beside its boot files, which no image takes over. */
import { type FileTree, printName } from "../../src/formats/index.ts";

/** Directories at the top that hold boot files, and names that only ISO writers use. */
const boot = /^(boot|isolinux|efi|rr_moved|boot\.cat(alog)?|\[boot\])$/i;

/** Whether a name at the top of an ISO belongs to its boot files. */
export function isBootEntry(name: string): boolean {
  return boot.test(name);
}

/** How many names a note has. */
const namedEntries = 5;

/**
 * One sentence on the entries of an ISO that an image does not get; undefined where there are none. `tree` is the ISO's, `name` what
 * messages call it, `list` the list of builtin extensions.
 */
export function describeLeftOut(tree: FileTree, name: string, list: string): string | undefined {
  const tops = tree.paths().filter((path) => path !== "." && !path.includes("/") && !isBootEntry(path));
  if (tops.length === 0) return undefined;
  const cde = tops.find((top) => top.toLowerCase() === "cde" && tree.get(top)?.type === "directory");
  const shown = tops.map((top) => `${printName(top)}${tree.get(top)?.type === "directory" ? "/" : ""}`);
  const sentence = `${name}: the image does not get ${firstOf(shown)}`;
  if (cde === undefined) return sentence;
  const extensions = tree
    .below(cde)
    .filter((path) => /\.tcz$/i.test(path))
    .map((path) => printName(path.slice(path.lastIndexOf("/") + 1)));
  if (extensions.length === 0) return sentence;
  return `${sentence}; its extensions are ${firstOf(extensions)}: name those that you need in ${list}`;
}

function firstOf(names: readonly string[]): string {
  const more = names.length > namedEntries ? `, and ${names.length - namedEntries} more` : "";
  return `${names.slice(0, namedEntries).join(", ")}${more}`;
}
