/** Entries of an image as lines for people, and as values for programs. */
import { contentSize, formatModeLetters, printName, type TreeNode } from "../formats/index.ts";
import type { Image } from "./image.ts";
import type { Layer } from "./layer.ts";
import type { View } from "./view.ts";

/** An entry for programs (`--json`); `size` in bytes, `mtime` in seconds since 1970. Names are as they are. */
interface EntryFacts {
  readonly path: string;
  readonly type: TreeNode["type"];
  readonly mode: string;
  readonly uid: number;
  readonly gid: number;
  readonly mtime: number;
  readonly size?: number;
  readonly target?: string;
  readonly device?: readonly [major: number, minor: number];
  readonly layer?: string;
  readonly replaced?: readonly string[];
  readonly unused?: readonly string[];
}

/** The facts of each of the paths, which are in the view. */
export function entryFacts(view: View, paths: readonly string[]): readonly EntryFacts[] {
  return paths.flatMap((path) => {
    const node = view.tree.get(path);
    if (node === undefined) return [];
    const { type, uid, gid, mtime } = node;
    const layer = view.layerOf(path)?.name;
    const [replaced, unused] = [namesOf(view.replacedAt(path)), namesOf(view.unusedAt(path))];
    return {
      ...{ path, type, mode: node.mode.toString(8).padStart(4, "0"), uid, gid, mtime },
      ...(type === "file" ? { size: contentSize(node.content) } : {}),
      ...(type === "symlink" ? { target: node.target } : {}),
      ...("major" in node ? { device: [node.major, node.minor] as const } : {}),
      ...(layer === undefined ? {} : { layer }),
      ...(replaced.length === 0 ? {} : { replaced }),
      ...(unused.length === 0 ? {} : { unused }),
    };
  });
}

const namesOf = (layers: readonly Layer[]): readonly string[] => layers.map(({ name }) => name);

/** The entries as `ls -l` shows them, one a line; with `layers`, each with its layer and what that replaced. */
export function describeEntries(entries: readonly EntryFacts[], layers: boolean): readonly string[] {
  const rows = entries.map((entry) => ({
    entry,
    letters: formatModeLetters(entry.type, Number.parseInt(entry.mode, 8)),
    owner: `${entry.uid}:${entry.gid}`,
    size: entry.device === undefined ? `${entry.size ?? ""}` : entry.device.join(","),
  }));
  const ownerWidth = Math.max(0, ...lengths(rows.map(({ owner }) => owner)));
  const sizeWidth = Math.max(0, ...lengths(rows.map(({ size }) => size)));
  return rows.map(({ entry, letters, owner, size }) => {
    const target = entry.target === undefined ? "" : ` -> ${printName(entry.target)}`;
    const columns = [letters, owner.padEnd(ownerWidth), size.padStart(sizeWidth), shownTime(entry.mtime)];
    return `${columns.join("  ")}  ${printName(entry.path)}${target}${layers ? origin(entry) : ""}`;
  });
}

/** The greatest length alone: a call with a hundred thousand arguments fails. */
function lengths(texts: readonly string[]): readonly number[] {
  return texts.length === 0 ? [] : [texts.reduce((most, { length }) => Math.max(most, length), 0)];
}

function origin({ layer, replaced, unused }: EntryFacts): string {
  const parts = [
    ...(layer === undefined ? [] : [printName(layer)]),
    ...(replaced === undefined ? [] : [`replaces ${replaced.map(printName).join(", ")}`]),
    ...(unused === undefined ? [] : [`not used: ${unused.map(printName).join(", ")}`]),
  ];
  return `  [${parts.join("; ")}]`;
}

/** In UTC, to the minute; a time beyond the range of a Date in seconds. */
function shownTime(mtime: number): string {
  const time = new Date(mtime * 1000);
  return Number.isNaN(time.getTime()) ? `${mtime} s` : time.toISOString().slice(0, 16).replace("T", " ");
}

/** What each layer is, for programs. */
export function layerFacts({ layers }: Image): readonly unknown[] {
  return layers.map(({ name, kind, file, isSeen, tree }) => ({
    ...{ name, kind, entries: tree.size, isSeen },
    ...(file === undefined ? {} : { file }),
  }));
}
