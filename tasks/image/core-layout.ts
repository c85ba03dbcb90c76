/**
 * The boot files of a Core ISO in the layout of Core's own releases, whatever the ISO's: lower-case names, isolinux below
 * /boot, one kernel and one initrd. What the ISO's menu starts by itself is what counts. Nothing is written here.
 *
 * Sources: syslinux `doc/syslinux.cfg.txt` (LOCATION/NAME, KERNEL, INITRD); Linux `Documentation/filesystems/isofs.rst`
 * (map=normal: plain names are shown in lower case).
 */

import { type BootLabel, bytesContent, type FileNode, FileTree } from "../../src/formats/index.ts";
import { readMenuOf } from "./boot-menu.ts";
import {
  missingFile,
  notCore,
  nothingStarts,
  onlyGrub,
  otherInitrd,
  severalSystems,
} from "./core-refusal.ts";
import { isKernel64 } from "./kernel-header.ts";
import { moveNames, type PathChange, rewriteMenu } from "./menu-rewriting.ts";

export interface CoreLayout {
  /** The boot directory, without the initrd where it has several parts. */
  readonly boot: FileTree;
  /** File names there. */
  readonly kernel: string;
  readonly initrd: string;
  /** What the initrd is joined of, in its order. */
  readonly parts: readonly FileNode[];
  /** Whether anything differs from the ISO. */
  readonly isChanged: boolean;
  /** What the menu starts by itself that is not the image; undefined where it starts the image. */
  readonly startsInstead: string | undefined;
}

/** Tops of an ISO in which boot files lie; compared in lower case. */
export const bootDirectories: readonly string[] = ["boot", "isolinux"];

const menuFile = "boot/isolinux/isolinux.cfg";

/** Core's initrd by the names that Tiny Core gives it: whole, or as its root file system and its modules. */
const coreInitrd = /^(core|corepure64|rootfs(64)?|modules(64)?)\.gz$/i;

/**
 * Lays out the files of an ISO's `bootDirectories`; `name` is how messages call the ISO. Throws a `UserError` for what
 * is no Core ISO.
 */
export async function layOutCore(found: FileTree, name: string): Promise<CoreLayout> {
  const named = withStandardNames(found);
  const moved = moveLoader(named);
  const { tree } = moved;
  if (tree.get(menuFile)?.type !== "file") return layOutPair(tree, name);
  if (moved.change !== undefined) await moveNamesIn(tree, moved.change);
  const menu = await readMenuOf(tree);
  const started = typeof menu.automatic === "object" ? menu.automatic : menu.labels.find(loadsCore);
  const where = `${name}: ${menuFile}`;
  if (started === undefined) throw hasPair(tree) ? nothingStarts(where) : notCore(name);
  const files = new BootFiles(tree);
  const [kernel, ...initrds] = [started.kernel, ...started.initrds].map((file) => {
    const path = files.find(file);
    if (path !== undefined) return path;
    throw hasPair(tree) ? missingFile(started, file, where) : notCore(name);
  });
  const parts = initrds.filter((path) => coreInitrd.test(lastName(path)));
  if (kernel === undefined || parts.length === 0) {
    throw hasPair(tree) ? otherInitrd(started, where) : notCore(name);
  }
  const other = menu.labels.find((label) => loadsCore(label) && !files.loads(label, parts));
  if (other !== undefined) throw severalSystems(started, other, where);

  const is64 = lastName(kernel).includes("64") || (await isKernel64(tree, kernel));
  const places: ReadonlyMap<string, string> = new Map([
    [kernel, standardKernel.has(kernel) ? kernel : is64 ? "boot/vmlinuz64" : "boot/vmlinuz"],
    ...parts.map((path) => [path, initrdPlace(parts)] as const),
  ]);
  const isChanged = await changeMenus(tree, menu.files, (file) => {
    const path = files.find(file);
    return path === undefined ? undefined : (places.get(path) ?? path);
  });
  const nodes = parts.flatMap((path) => fileAt(tree, path) ?? []);
  const kernelNode = fileAt(tree, kernel);
  for (const path of places.keys()) tree.delete(path);
  const kernelPlace = places.get(kernel) ?? kernel;
  if (kernelNode !== undefined) tree.set(kernelPlace, kernelNode);
  tree.delete(initrdPlace(parts));
  return {
    boot: belowBoot(tree),
    kernel: lastName(kernelPlace),
    initrd: lastName(initrdPlace(parts)),
    parts: nodes,
    isChanged: isChanged || parts.length > 1 || hasOtherPaths(named, found) || moved.change !== undefined,
    startsInstead: typeof menu.automatic === "string" ? menu.automatic : undefined,
  };
}

const standardKernel: ReadonlySet<string> = new Set(["boot/vmlinuz", "boot/vmlinuz64"]);
const pairs = [
  ["vmlinuz64", "corepure64.gz"],
  ["vmlinuz", "core.gz"],
] as const;

/** Where the initrd goes: its own place where that is Core's, else as Core's for 32 or 64 bits is called. */
function initrdPlace(parts: readonly string[]): string {
  const [first = ""] = parts;
  if (/^boot\/(core|corepure64)\.gz$/i.test(first)) return first.toLowerCase();
  return lastName(first).includes("64") ? "boot/corepure64.gz" : "boot/core.gz";
}

/** Without a menu: Core's files by their names. */
function layOutPair(tree: FileTree, name: string): CoreLayout {
  if (tree.get("boot/isolinux") === undefined && tree.has("boot/grub/grub.cfg")) throw onlyGrub(name);
  for (const [kernel, initrd] of pairs) {
    const node = fileAt(tree, `boot/${initrd}`);
    if (node === undefined || fileAt(tree, `boot/${kernel}`) === undefined) continue;
    tree.delete(`boot/${initrd}`);
    const common = { isChanged: false, startsInstead: undefined };
    return { boot: belowBoot(tree), kernel, initrd, parts: [node], ...common };
  }
  throw notCore(name);
}

function hasPair(tree: FileTree): boolean {
  return pairs.some((pair) => pair.every((file) => fileAt(tree, `boot/${file}`) !== undefined));
}

function fileAt(tree: FileTree, path: string): FileNode | undefined {
  const node = tree.get(path);
  return node?.type === "file" ? node : undefined;
}

function loadsCore({ initrds }: BootLabel): boolean {
  return initrds.some((file) => coreInitrd.test(lastName(file).toLowerCase()));
}

function lastName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

/** In lower case where no name has any; else those of the boot loader. */
function withStandardNames(tree: FileTree): FileTree {
  const isUpperCase = !tree.paths().some((path) => /[a-z]/.test(path));
  return new FileTree(
    [...tree].map(([path, node]) => [
      isUpperCase
        ? path.toLowerCase()
        : path.replace(/^(boot(?=\/|$)\/?)?(isolinux\b[^/]*\/?){0,2}/i, (start) => start.toLowerCase()),
      node,
    ]),
  );
}

function hasOtherPaths(tree: FileTree, other: FileTree): boolean {
  return tree.paths().some((path) => !other.has(path));
}

/** Moves /isolinux to /boot/isolinux, where the ISO has its menu at the top only; files there already stay. */
function moveLoader(found: FileTree): { readonly tree: FileTree; readonly change?: PathChange } {
  if (found.has(menuFile) || found.get("isolinux/isolinux.cfg")?.type !== "file") {
    return { tree: new FileTree([...found].filter(([path]) => path === "boot" || path.startsWith("boot/"))) };
  }
  const tree = new FileTree();
  for (const [path, node] of found) if (!path.startsWith("isolinux")) tree.set(path, node);
  for (const [path, node] of found) {
    if (path.startsWith("isolinux") && !tree.has(`boot/${path}`)) tree.set(`boot/${path}`, node);
  }
  const change = { from: "/isolinux/", to: "/boot/isolinux/" };
  return { tree: tree.ensureParents({ mtime: 0 }), change };
}

/** Files by the names that a menu has for them: isolinux takes capitals for small letters. */
class BootFiles {
  readonly #paths: ReadonlyMap<string, string>;

  constructor(tree: FileTree) {
    const files = [...tree].filter(([, node]) => node.type === "file").map(([path]) => path);
    this.#paths = new Map([
      ...files.map((path) => [path.toLowerCase(), path] as const),
      ...files.map((path) => [path, path] as const),
    ]);
  }

  /** The path in the tree of a file that the menu names by an absolute path. */
  find(file: string): string | undefined {
    const path = file.replace(/^\/+/, "");
    return this.#paths.get(path) ?? this.#paths.get(path.toLowerCase());
  }

  /** Whether a label loads just these parts of Core. */
  loads({ initrds }: BootLabel, parts: readonly string[]): boolean {
    const own = initrds
      .flatMap((file) => this.find(file) ?? [])
      .filter((path) => coreInitrd.test(lastName(path)));
    return own.join("\n") === parts.join("\n");
  }
}

/** Changes names in the menu's files; returns whether any text became another. */
async function changeMenus(
  tree: FileTree,
  files: readonly string[],
  placeOf: (file: string) => string | undefined,
): Promise<boolean> {
  let isChanged = false;
  for (const file of files)
    isChanged = (await changeText(tree, file, (text) => rewriteMenu(text, placeOf))) || isChanged;
  return isChanged;
}

/** A moved menu may name its directory in each of its files, of which only some are known before they are changed. */
async function moveNamesIn(tree: FileTree, change: PathChange): Promise<void> {
  for (const file of tree.below("boot/isolinux").filter((path) => /\.(cfg|conf)$/i.test(path)))
    await changeText(tree, file, (text) => moveNames(text, change));
}

async function changeText(tree: FileTree, file: string, change: (text: string) => string): Promise<boolean> {
  const node = fileAt(tree, file);
  if (node === undefined) return false;
  const text = (await tree.read(file)).toString("latin1");
  const changed = change(text);
  if (changed === text) return false;
  tree.set(file, { ...node, content: bytesContent(Buffer.from(changed, "latin1")) });
  return true;
}

function belowBoot(tree: FileTree): FileTree {
  return new FileTree(
    [...tree].filter(([path]) => path !== "boot").map(([path, node]) => [path.slice("boot/".length), node]),
  );
}
