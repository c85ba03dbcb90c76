/**
 * Which extensions a variant gets, in which order, and as which files. Pure: it works on a graph that was loaded
 * before.
 */
import { UserError } from "../../errors/index.ts";
import type { Artifact } from "../pins/artifact.ts";
import {
  chain,
  convertedName,
  type ExtensionGraph,
  type ExtensionNode,
  extensionTail,
} from "./extension-graph.ts";
import type { Group, Root } from "./kernel-name.ts";
import { extensionLocation, type Mirror } from "./mirror.ts";

export type ClosureItem =
  | {
      readonly kind: "tcz";
      readonly name: string;
      readonly node: ExtensionNode;
      /** Whether a list names it, rather than another extension's dependencies. */
      readonly listed: boolean;
    }
  /** A package of the distribution, to be converted to `becomes`. */
  | { readonly kind: "deb"; readonly name: string; readonly becomes: string; readonly where: string };

export interface Closure {
  /** Dependencies before dependents, the user's order otherwise kept. */
  readonly builtin: readonly ClosureItem[];
  readonly mirror: readonly ClosureItem[];
  /** Dependencies that go round in circles, and extensions of the mirror that the project's own replace. */
  readonly warnings: readonly { readonly message: string; readonly where: string }[];
}

/**
 * Orders what the lists ask for. A dependency goes where its parent goes, and not to the mirror when it is
 * builtin already. `exclude` names extensions that this variant leaves out, with all that nothing else needs;
 * when something else needs one of them, that is a UserError.
 */
export function orderExtensions(
  graph: ExtensionGraph,
  options: { readonly exclude?: readonly string[] } = {},
): Closure {
  const excluded = new Set(options.exclude);
  const warnings = new Map<string, string>();
  for (const [name, where] of graph.replaced ?? []) warnings.set(ownWins(name), where);
  const walk = (group: Group, present: ReadonlySet<string>): readonly ClosureItem[] => {
    const listed = new Set<string>();
    const done = new Set<string>();
    const items: ClosureItem[] = [];
    const roots = graph.roots.filter((root) => root.group === group && !excluded.has(root.name));
    for (const root of roots) listed.add(root.name);
    for (const root of roots) {
      if (root.kind === "deb") {
        items.push({ kind: "deb", name: root.name, becomes: convertedName(root.name), where: root.where });
        continue;
      }
      for (const node of postOrder(graph, root, done, excluded, warnings)) {
        if (!listed.has(node.name) && present.has(node.name)) continue;
        items.push({ kind: "tcz", name: node.name, node, listed: listed.has(node.name) });
      }
    }
    return items;
  };
  const builtin = walk("builtin", new Set());
  const mirror = walk("mirror", new Set(builtin.map((item) => item.name)));
  return {
    builtin,
    mirror,
    warnings: [...warnings].map(([message, where]) => ({ message, where })),
  };
}

/** What is said of an own extension that the mirror has, too. */
export function ownWins(name: string): string {
  return `the project's own ${name} takes the place of the mirror's`;
}

interface Frame {
  readonly node: ExtensionNode;
  next: number;
}

/** Depth first with a stack of its own: a mirror's chain of dependencies may be longer than the call stack. */
function* postOrder(
  graph: ExtensionGraph,
  root: Root,
  done: Set<string>,
  excluded: ReadonlySet<string>,
  warnings: Map<string, string>,
): Generator<ExtensionNode> {
  const start = graph.nodes.get(root.name);
  if (start === undefined || done.has(root.name)) return;
  const stack: Frame[] = [{ node: start, next: 0 }];
  const open = new Set([start.name]);
  for (let frame = stack.at(-1); frame !== undefined; frame = stack.at(-1)) {
    const { node } = frame;
    const name = node.needs[frame.next];
    frame.next += 1;
    if (name === undefined) {
      stack.pop();
      open.delete(node.name);
      done.add(node.name);
      yield node;
      continue;
    }
    if (excluded.has(name)) throw excludedButNeeded(node, name, root);
    if (open.has(name)) {
      const names = stack.map((one) => one.node.name);
      const circle = [...names.slice(names.indexOf(name)), name].join(" → ");
      warnings.set(`dependency cycle: ${circle}`, root.where);
      continue;
    }
    const needed = graph.nodes.get(name);
    // What is not in the graph is made from a package in the lists.
    if (needed === undefined || done.has(name)) continue;
    open.add(name);
    stack.push({ node: needed, next: 0 });
  }
}

function excludedButNeeded(node: ExtensionNode, name: string, root: Root): UserError {
  return new UserError(`${node.name} needs ${name}, which this variant excludes`, {
    code: "excluded-dependency",
    where: root.where,
    hint: `remove ${root.name} from the list for this variant`,
  });
}

/** The text of `onboot.lst`: one file name a line, in the order in which they are to be loaded. */
export function formatOnboot(items: readonly ClosureItem[]): string {
  return items.map((item) => `${item.kind === "deb" ? item.becomes : item.name}\n`).join("");
}

/**
 * The files to fetch for these items, each once: the extensions, and for those in `withInfo` also `.info` and
 * `.list`. `.md5.txt` and `.dep` need no request: their text follows from the node and the pinned bytes.
 */
export function extensionArtifacts(
  mirror: Mirror,
  items: readonly ClosureItem[],
  withInfo: readonly ClosureItem[] = [],
): readonly Artifact[] {
  const artifacts = new Map<string, Artifact>();
  const add = (name: string, rest: Omit<Artifact, "name" | "url" | "tail">): void => {
    if (artifacts.has(name)) return;
    const url = extensionLocation(mirror, name);
    artifacts.set(name, { name, url, tail: extensionTail(mirror, name), ...rest });
  };
  for (const item of [...items, ...withInfo]) {
    if (item.kind !== "tcz" || item.node.isOwn) continue;
    const { node, name } = item;
    add(name, {
      kind: "squashfs",
      where: chain(node.where, node.way),
      md5Url: extensionLocation(mirror, `${name}.md5.txt`),
      deps: node.deps,
      ...(node.md5 === undefined ? {} : { md5: node.md5 }),
      ...(node.md5Source === undefined ? {} : { md5Source: node.md5Source }),
      ...(node.size === undefined ? {} : { size: node.size }),
    });
  }
  for (const item of withInfo) {
    if (item.kind !== "tcz" || item.node.isOwn) continue;
    for (const suffix of [".info", ".list"]) {
      add(`${item.name}${suffix}`, { kind: "text", optional: true, where: item.node.where });
    }
  }
  return [...artifacts.values()];
}
