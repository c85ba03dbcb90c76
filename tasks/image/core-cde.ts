/** The extensions that a Core ISO brings in its own `cde/`, as CorePlus and TinyCore do, merged with those of an image. */
import { copyFile, mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { extractIso, type FileTree, readIsoTree, type UnpackLimits } from "../../src/formats/index.ts";
import { isBootEntry } from "./left-out.ts";

/** Names at the top of an ISO that a remastered image keeps: everything but boot files. */
function keptTops(tree: FileTree): readonly string[] {
  return tree.paths().filter((name) => name !== "." && !name.includes("/") && !isBootEntry(name));
}

interface MergeOptions {
  readonly limits: UnpackLimits;
  /** File names of extensions that the image has elsewhere. */
  readonly elsewhere: ReadonlySet<string>;
  readonly note: (message: string) => void;
}

/**
 * Puts everything that the ISO at `iso` has beside its boot files into the empty directory `target`, and the image's own extensions
 * (`own`: files by their names in `cde/optional`; `onboot`: names in their order) over its `cde/`. Paths are absolute.
 */
export async function mergeCde(
  iso: string,
  target: string,
  own: { readonly files: ReadonlyMap<string, string>; readonly onboot: readonly string[] },
  { limits, elsewhere, note }: MergeOptions,
): Promise<void> {
  const tree = await readIsoTree(iso, limits);
  const tops = keptTops(tree);
  if (tops.length > 0) await extractIso(iso, tops, target, limits);
  const before = await onbootOf(path.join(target, "cde/onboot.lst"));
  const optional = path.join(target, "cde/optional");
  if (own.files.size === 0 && before.length === 0) return;
  await mkdir(optional, { recursive: true });
  for (const [name, file] of own.files) await copyFile(file, path.join(optional, name));
  const mounted = before.filter((name) => !elsewhere.has(name));
  for (const name of before.filter((one) => elsewhere.has(one)))
    note(`${name} of the Core ISO's cde/ is in the initrd already; cde/onboot.lst does not load it`);
  const onboot = [...new Set([...mounted, ...own.onboot])];
  await writeFile(path.join(target, "cde/onboot.lst"), onboot.map((name) => `${name}\n`).join(""));
}

/** The names in an onboot.lst: the first word of each line; none if it does not exist. */
export async function onbootOf(file: string): Promise<readonly string[]> {
  const text = await readFile(file, "utf8").catch(() => "");
  return text.split(/\r?\n/).flatMap((line) => {
    const [word = ""] = line.replace(/#.*$/, "").trim().split(/\s+/);
    return word === "" ? [] : [word];
  });
}
