/**
 * The extensions in an image: which are loaded at boot, in which order, and what is in them.
 *
 * Conventions of Tiny Core: `onboot.lst` names the extensions in `optional/` beside it; `NAME.tcz.dep` those that one needs, which
 * are loaded first; `-KERNEL` in a name stands for the kernel's release (Core-scripts, usr/bin/tce-setup and tce-load).
 */
import { messageOf, UserError } from "../errors/index.ts";
import {
  contentSize,
  type FileContent,
  type FileTree,
  parentOf,
  printPath,
  readContent,
  readSquashfsTree,
  type UnpackLimits,
} from "../formats/index.ts";
import type { Layer } from "./layer.ts";

/** Where files of the image are: in the initrd, or in the ISO beside it. */
export interface ExtensionPlace {
  readonly tree: FileTree;
  /** How errors name the tree. */
  readonly label: string;
  /** The directory of `onboot.lst`. */
  readonly directory: string;
}

interface ExtensionOptions {
  readonly limits: UnpackLimits;
  /** Absolute path of a file with this content: for one that is in pieces on its disk. */
  readonly fileOf: (content: FileContent) => Promise<string>;
  /** The kernel's release, where it is known. */
  readonly release: string | undefined;
  /** Called with what is wrong with an extension, which is omitted. */
  readonly note: (message: string) => void;
}

/** A list is read whole; no honest one is larger. */
const largestList = 1024 * 1024;

/** The extensions that are loaded at boot, in load order, dependencies first; each once, whatever place has it. */
export async function loadedExtensions(
  places: readonly ExtensionPlace[],
  options: ExtensionOptions,
): Promise<readonly Layer[]> {
  const layers = new Map<string, Layer>();
  for (const place of places) {
    for (const file of await loadOrder(place, options)) {
      const name = nameOf(file);
      if (layers.has(name)) continue;
      const layer = await readExtension(place, file, true, options);
      if (layer !== undefined) layers.set(name, layer);
    }
  }
  return [...layers.values()];
}

/** All other extensions of the trees, in byte order. */
export async function otherExtensions(
  places: readonly Pick<ExtensionPlace, "tree" | "label">[],
  loaded: readonly Layer[],
  options: ExtensionOptions,
): Promise<readonly Layer[]> {
  const known = new Set(loaded.map(({ file }) => file));
  const names = new Set(loaded.map(({ name }) => name));
  const layers: Layer[] = [];
  for (const place of places) {
    for (const [file, node] of place.tree) {
      if (node.type !== "file" || !file.endsWith(".tcz") || known.has(file)) continue;
      known.add(file);
      const layer = await readExtension(place, file, false, options);
      if (layer === undefined) continue;
      // A name that is taken becomes the whole path.
      layers.push(names.has(layer.name) ? { ...layer, name: file } : layer);
      names.add(layer.name);
    }
  }
  return layers;
}

function nameOf(file: string): string {
  return file.slice(file.lastIndexOf("/") + 1);
}

async function readExtension(
  { tree, label }: Pick<ExtensionPlace, "tree" | "label">,
  file: string,
  isSeen: boolean,
  { limits, note, fileOf }: ExtensionOptions,
): Promise<Layer | undefined> {
  const node = tree.get(file);
  if (node?.type !== "file") return undefined;
  try {
    const { content } = node;
    const stretch =
      content.kind === "file"
        ? content
        : { path: await fileOf(content), offset: 0, size: contentSize(content) };
    const extension = await readSquashfsTree(stretch, { limits, label: `${label}: ${file}` });
    return { name: nameOf(file), kind: "extension", isSeen, file, tree: extension };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    note(`omitted ${printPath(file)}: ${messageOf(error)}`);
    return undefined;
  }
}

/** Paths of the extensions' files, each after those that it needs. */
async function loadOrder(place: ExtensionPlace, options: ExtensionOptions): Promise<readonly string[]> {
  const { tree, directory } = place;
  const fill = (name: string): string =>
    options.release === undefined ? name : name.replaceAll("KERNEL", options.release);
  const listed = (await wordsOf(place, `${directory}/onboot.lst`, options)).map(fill);
  const ordered = new Set<string>();
  const begun = new Set<string>();
  // A stack instead of recursion: a chain of dependencies may be as long as the image has files.
  const waiting = listed.toReversed().map((name) => ({ name, isNeeded: false, isDone: false }));
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const file = `${directory}/optional/${next.name}`;
    if (next.isDone) ordered.add(file);
    if (next.isDone || begun.has(file)) continue;
    begun.add(file);
    if (tree.get(file)?.type !== "file") {
      options.note(
        `omitted ${printPath(file)}: ${next.isNeeded ? "another extension needs" : "onboot.lst names"} it, but the image does not have it`,
      );
      continue;
    }
    waiting.push({ ...next, isDone: true });
    const needed = await wordsOf(place, `${file}.dep`, options);
    for (const name of needed.toReversed()) waiting.push({ name: fill(name), isNeeded: true, isDone: false });
  }
  return [...ordered];
}

/** The first word of each line; none where there is no such file. */
async function wordsOf(
  { tree }: ExtensionPlace,
  file: string,
  { note }: ExtensionOptions,
): Promise<readonly string[]> {
  const node = tree.get(file);
  if (node?.type !== "file") return [];
  if (contentSize(node.content) > largestList) {
    note(`omitted ${printPath(file)}: it is larger than any list of extensions`);
    return [];
  }
  const text = (await readContent(node.content)).toString("utf8");
  return text.split("\n").flatMap((line) => {
    const word = line.trim().split(/\s+/)[0] ?? "";
    return word === "" || word.startsWith("#") || word.includes("/") ? [] : [word];
  });
}

/** The release of the kernel whose modules the tree has, where it has those of one kernel. */
export function kernelRelease(tree: FileTree): string | undefined {
  const releases = new Set<string>();
  for (const [path, node] of tree) {
    if (node.type !== "directory") continue;
    const parent = parentOf(path);
    if (parent === "lib/modules" || parent === "usr/lib/modules") releases.add(nameOf(path));
  }
  return releases.size === 1 ? [...releases][0] : undefined;
}
