/**
 * An extension of a project's own that is laid out in a directory: `tree/` as the image has it, and beside it, as far as it is wanted,
 * `installed` (the script that runs when it is loaded) and `owners`.
 */
import { stat } from "node:fs/promises";
import path from "node:path";
import { bytesContent, FileTree, rootOwned, treeFromDirectory } from "../../src/formats/index.ts";
import { addDevices, applyOwners, parseOwnerList } from "../image/owner-list.ts";
import { textOf } from "./definition.ts";
import { ownExtensionError } from "./own-extension-error.ts";
import { scriptsDirectory } from "./tree-rules.ts";

/** Tiny Core's group of those who may install extensions. */
const staff = 50;

interface ExtensionDirectory {
  /** Absolute. */
  readonly directory: string;
  /** As users name it. */
  readonly shown: string;
  /** The extension's file name, with the kernel's release. */
  readonly name: string;
  /** Seconds since 1970, of every entry. */
  readonly mtime: number;
  /** Core's files with contents; asked for only where owners are given. */
  readonly core: () => Promise<FileTree>;
}

/**
 * The extension's tree, with modes and owners that depend on nothing but the files and `owners`; and what was corrected.
 * @throws UserError `own-extension`, `owners`, `unsupported-file-type`
 */
export async function readExtensionDirectory(
  extension: ExtensionDirectory,
): Promise<{ readonly tree: FileTree; readonly notes: readonly string[] }> {
  const { directory, shown, mtime } = extension;
  const tree = await readTree(directory, mtime);
  const notes = await finishTree(tree, extension);
  if (tree.size === 0 && (await textOf(path.join(directory, "dep"))) === undefined)
    throw ownExtensionError(
      "the extension has neither files nor dependencies",
      shown,
      `put its files into ${shown}/tree/, laid out as /`,
    );
  return { tree, notes };
}

/** The files of `tree/` in the directory (absolute), everything root's; of their modes, the executable and the set-id bits count. */
export async function readTree(directory: string, mtime: number): Promise<FileTree> {
  const root = path.join(directory, "tree");
  if (!(await isDirectory(root))) return new FileTree();
  return await treeFromDirectory(root, {
    mtime,
    filter: (entry) => path.posix.basename(entry) !== ".gitkeep",
    policy: (at, entry) => {
      const usual = rootOwned(at, entry);
      return entry.type === "file" ? { ...usual, mode: usual.mode | (entry.diskMode & 0o6000) } : usual;
    },
  });
}

/**
 * Adds the script of `installed` and applies `owners`; returns what was corrected. Set-id files need a line of `owners`, unless the tree
 * `keepsSetId`.
 * @throws UserError `own-extension`, `owners`
 */
export async function finishTree(
  tree: FileTree,
  extension: ExtensionDirectory,
  { keepsSetId = false }: { readonly keepsSetId?: boolean } = {},
): Promise<readonly string[]> {
  const { directory, shown, name, mtime } = extension;
  const notes = await placeScript(tree, extension);
  const text = await textOf(path.join(directory, "owners"));
  const lines = parseOwnerList(text ?? "", `${shown}/owners`);
  addDevices(tree, lines, mtime, name);
  tree.ensureParents({ mtime });
  ownScripts(tree);
  const core = lines.length === 0 ? new FileTree() : await extension.core();
  const ruled = await applyOwners(tree, lines, core, name);
  for (const [entry, node] of tree) {
    if (keepsSetId || node.type !== "file" || (node.mode & 0o6000) === 0 || ruled.has(entry)) continue;
    throw ownExtensionError(
      "the file is set-user-id or set-group-id, and no line of owners says so",
      `${shown}/tree/${entry}`,
      `write into ${shown}/owners: ${entry} root:root 4755; or take the bit away with chmod ug-s`,
    );
  }
  return notes;
}

/** Puts the script of `installed` in its place, and checks one that is in the tree; says what was corrected. */
async function placeScript(
  tree: FileTree,
  { directory, shown, name, mtime }: ExtensionDirectory,
): Promise<readonly string[]> {
  const place = `${scriptsDirectory}/${name.replace(/\.tcz$/, "")}`;
  const text = await textOf(path.join(directory, "installed"));
  const there = tree.get(place);
  if (text !== undefined && there !== undefined)
    throw ownExtensionError(
      `the extension has two scripts: installed and tree/${place}`,
      shown,
      "remove one of them",
    );
  if (text !== undefined) tree.addFile(place, bytesContent(text), { mtime, mode: 0o755 });
  const script = tree.get(place);
  if (script?.type !== "file") return [];
  if ((await tree.read(place)).includes("\r\n"))
    throw ownExtensionError(
      "the script has lines that end with CR LF, which no shell runs",
      text === undefined ? `${shown}/tree/${place}` : `${shown}/installed`,
      "convert it, as with dos2unix",
    );
  const isRun = (script.mode & 0o111) !== 0;
  return isRun ? [] : [`${shown}/tree/${place}: the script is made executable, or tce-load would not run it`];
}

/** The scripts and their directory are the staff's, and executable, as in extensions of Tiny Core. */
function ownScripts(tree: FileTree): void {
  for (const entry of [scriptsDirectory, ...tree.below(scriptsDirectory)]) {
    const node = tree.get(entry);
    if (node !== undefined && node.type !== "symlink") tree.set(entry, { ...node, mode: 0o775, gid: staff });
  }
}

async function isDirectory(name: string): Promise<boolean> {
  return (await stat(name).catch(() => undefined))?.isDirectory() === true;
}
