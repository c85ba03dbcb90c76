/** Which view and which paths a user means by the words of a command. */
import { didYouMean, UsageError, UserError } from "../errors/index.ts";
import {
  type FileNode,
  type FileTree,
  followLinks,
  parentOf,
  printName,
  rootPath,
} from "../formats/index.ts";
import type { Image } from "./image.ts";
import { type View, viewOfLayer } from "./view.ts";

/**
 * The view of all layers, or of the one that is named: `iso`, `layer 3` or `3`, `bash.tcz` or `bash`.
 * @throws UsageError `layer-unknown`
 */
export async function chooseView(image: Image, name: string | undefined): Promise<View> {
  if (name === undefined) return image.view;
  const isMeant = (layer: { readonly name: string }): boolean =>
    [name, `layer ${name}`, `${name}.tcz`].includes(layer.name);
  const found = image.layers.find(isMeant) ?? (await image.others()).find(isMeant);
  if (found !== undefined) return viewOfLayer(found);
  const names = [...image.layers, ...(await image.others())].map((layer) => layer.name);
  throw new UsageError(`the image has no layer "${printName(name)}"`, {
    code: "layer-unknown",
    hint: didYouMean(name, names) ?? `its layers: ${summary(names)}`,
  });
}

const mostNames = 12;

function summary(names: readonly string[]): string {
  const shown = names.slice(0, mostNames).map(printName).join(", ");
  return names.length <= mostNames ? shown : `${shown} and ${names.length - mostNames} more`;
}

/**
 * The path of the tree that a user's word stands for; "" is the root. Links before its last part are followed, and in the last part
 * too where `last` is set; a name may be written as messages show it.
 * @throws UserError `path-missing`
 */
export function findPath(tree: FileTree, word: string, last = false): string {
  const { path, loops } = followLinks(tree, word, last);
  if (!loops && (path === "" || path === rootPath)) return "";
  if (!loops && tree.has(path)) return path;
  const bare = word.replace(/^[./]*\/|\/+$/g, "");
  const shown = bare.includes("\\") ? tree.paths().find((one) => printName(one) === bare) : undefined;
  if (shown !== undefined) return shown;
  const parent = parentOf(path) ?? "";
  const beside = childrenOf(tree, tree.has(parent) ? parent : "").map(printName);
  throw new UserError(`the image has no ${printName(word)}${loops ? ": its links form a loop" : ""}`, {
    code: "path-missing",
    where: printName(path),
    hint: didYouMean(printName(path), beside) ?? "list what is there with `task ls IMAGE`",
  });
}

/** The paths to list for `path`: what is directly in a directory, or with `recursive` all below it; else itself. */
export function listedPaths(tree: FileTree, path: string, recursive: boolean): readonly string[] {
  if (path !== "" && tree.get(path)?.type !== "directory") return [path];
  return recursive ? pathsBelow(tree, path) : childrenOf(tree, path);
}

/** Every path below `path`, without itself; "" is the root. */
export function pathsBelow(tree: FileTree, path: string): readonly string[] {
  return path === "" ? tree.paths().filter((one) => one !== rootPath) : tree.below(path);
}

function childrenOf(tree: FileTree, path: string): readonly string[] {
  const start = path === "" ? 0 : path.length + 1;
  return pathsBelow(tree, path).filter((one) => !one.includes("/", start));
}

/** The regular file that a word stands for, links followed. @throws UserError `path-missing`, `not-a-file` */
export function fileAt(tree: FileTree, word: string): FileNode {
  const path = findPath(tree, word, true);
  const node = tree.get(path);
  if (node?.type === "file") return node;
  throw new UserError(`${printName(word)} is a ${node?.type ?? "directory"}, not a file`, {
    code: "not-a-file",
    where: printName(path),
    hint: "list it with `task ls IMAGE PATH`",
  });
}
