/** How two entries of archives differ, their contents left aside. */
import { type FileTree, printName, type TreeNode } from "../formats/index.ts";
import { describeContent } from "./container.ts";
import { type Difference, sides } from "./difference.ts";

/** The other names of each hard-linked file, by path. */
export type Links = ReadonlyMap<string, string>;

/** An entry as one side has it: its node, and the other names of its file. */
export interface Entry {
  readonly node: TreeNode | undefined;
  readonly links: string | undefined;
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
  const nobody = "no other";
  add("links", one.links ?? nobody, other.links ?? nobody);
  return found;
}

export function linksOf(tree: FileTree): Links {
  const groups = new Map<string, string[]>();
  for (const [path, node] of tree) {
    if (node.type !== "file" || node.linkGroup === undefined) continue;
    groups.set(node.linkGroup, [...(groups.get(node.linkGroup) ?? []), path]);
  }
  const links = new Map<string, string>();
  for (const names of groups.values()) {
    for (const name of names) {
      const others = names.filter((one) => one !== name);
      if (others.length > 0) links.set(name, others.map(printName).join(", "));
    }
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
  return new Date(mtime * 1000).toISOString().replace(".000Z", "Z");
}
