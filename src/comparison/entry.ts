/** How two entries of archives differ, their contents left aside. */
import { createHash } from "node:crypto";
import { type FileTree, printName, printPath, type TreeNode } from "../formats/index.ts";
import { describeContent } from "../inspection/index.ts";
import { type Difference, sides } from "./difference.ts";

/** All names of a hard-linked file, in byte order, and a digest of them: there may be thousands, each to be compared. */
interface LinkedNames {
  readonly names: readonly string[];
  readonly digest: string;
}

/** By each name of a file that has several. */
type Links = ReadonlyMap<string, LinkedNames>;

/** An entry as one side has it: its path, its node, and all names of its file where it has several. */
interface Entry {
  readonly path: string;
  readonly node: TreeNode | undefined;
  readonly links: LinkedNames | undefined;
}

type Found = Pick<Difference, "kind" | "a" | "b">;

export function compareEntries(one: Entry, other: Entry): readonly Found[] {
  const [a, b] = [one.node, other.node];
  if (a === undefined || b === undefined) {
    return a === b ? [] : [{ kind: "only", ...sides(describeNode(a), describeNode(b)) }];
  }
  if (a.type !== b.type) return [{ kind: "type", ...sides(describeNode(a), describeNode(b)) }];
  const found: Found[] = [];
  const add = (kind: Found["kind"], inA: string, inB: string): void => {
    if (inA !== inB) found.push({ kind, a: inA, b: inB });
  };
  add("mode", octal(a), octal(b));
  add("owner", `${a.uid}:${a.gid}`, `${b.uid}:${b.gid}`);
  add("time", shownTime(a), shownTime(b));
  if (a.type === "symlink" && b.type === "symlink") add("target", printName(a.target), printName(b.target));
  if ("major" in a && "major" in b) add("device", `${a.major},${a.minor}`, `${b.major},${b.minor}`);
  if (one.links?.digest !== other.links?.digest)
    found.push({ kind: "links", a: otherNames(one), b: otherNames(other) });
  return found;
}

/** Of many names some are shown: each name of a file has such a line. */
const mostNames = 20;

function otherNames({ path, links }: Entry): string {
  if (links === undefined) return "no other";
  const shown = links.names
    .slice(0, mostNames + 1)
    .filter((name) => name !== path)
    .slice(0, mostNames);
  const more = links.names.length - 1 - shown.length;
  return `${shown.map(printPath).join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}

export function linksOf(tree: FileTree): Links {
  const groups = new Map<string, string[]>();
  for (const [path, node] of tree) {
    if (node.type !== "file" || node.linkGroup === undefined) continue;
    const names = groups.get(node.linkGroup) ?? [];
    names.push(path);
    groups.set(node.linkGroup, names);
  }
  const links = new Map<string, LinkedNames>();
  for (const names of groups.values()) {
    if (names.length === 1) continue;
    const linked = { names, digest: createHash("sha256").update(names.join("\0")).digest("hex") };
    for (const name of names) links.set(name, linked);
  }
  return links;
}

function describeNode(node: TreeNode | undefined): string | undefined {
  if (node === undefined) return undefined;
  const detail = node.type === "file" ? `, ${describeContent(node.content)}` : "";
  return `${node.type} ${octal(node)} ${node.uid}:${node.gid}${detail}`;
}

function octal({ mode }: TreeNode): string {
  return mode.toString(8).padStart(4, "0");
}

function shownTime({ mtime }: TreeNode): string {
  const time = new Date(mtime * 1000);
  // A tarball's header can hold times beyond the range of a Date.
  return Number.isNaN(time.getTime()) ? `${mtime} s after 1970` : time.toISOString().replace(".000Z", "Z");
}
