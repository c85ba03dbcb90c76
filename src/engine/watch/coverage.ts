/**
 * What a graph's inputs make worth watching: the folders that own them, and the tasks that a path concerns. It decides
 * by declarations alone; whether anything is different is found out by looking.
 */

import { lstatSync, readdirSync, statSync } from "node:fs";
import path from "node:path";
import type { Graph } from "../bind/bound-task.ts";
import { inputPath } from "../bind/input-path.ts";
import type { FilesInput } from "../define/declared-input.ts";
import { type AbsolutePath, isBelow, type TaskId } from "../define/names.ts";
import { ignoredBy, type Matcher, matcherOf, positiveIn } from "../define/patterns.ts";
import { wayBehind } from "../files/link-path.ts";
import { search } from "../files/search.ts";

/** A folder whose own entries count, and down to which depth those below it do. */
interface WatchRoot {
  /** Absolute; may not exist. */
  readonly folder: string;
  /** How many levels of folders below it count too. */
  readonly depth: number;
}

interface Claim {
  readonly id: TaskId;
  /** Absolute path of the file, or of the folder that patterns are relative to. */
  readonly root: string;
  /** Absolute paths of the links that lead to a named file, and of what they lead to. */
  readonly chain: readonly string[];
  readonly matches?: Matcher;
}

export class Coverage {
  readonly roots: readonly WatchRoot[];
  readonly #claims: readonly Claim[];
  readonly #owned: readonly string[];

  constructor(roots: readonly WatchRoot[], claims: readonly Claim[], owned: readonly string[]) {
    this.roots = roots;
    this.#claims = claims;
    this.#owned = owned;
  }

  /** Whether a path is an output, or lies in one: it is a task's, and nobody's input. */
  owns(file: string): boolean {
    return this.#owned.some((owned) => file === owned || isBelow(file, owned));
  }

  /** The tasks that may read what stands at an absolute path, or stood there. */
  concernedBy(file: string): ReadonlySet<TaskId> {
    const concerned = new Set<TaskId>();
    if (this.owns(file)) return concerned;
    let folder: boolean | undefined;
    for (const { id, root, chain, matches } of this.#claims) {
      if (concerned.has(id)) continue;
      if (file === root || chain.includes(file) || isBelow(root, file)) concerned.add(id);
      else if (matches !== undefined && isBelow(file, root)) {
        // What was there may have been a folder full of inputs, and what is there may be one.
        folder ??= isFolderOrGone(file);
        if (folder || matches(path.relative(root, file))) concerned.add(id);
      }
    }
    return concerned;
  }

  /** Every folder that exists and is to be watched, absolute. */
  folders(): ReadonlySet<string> {
    const folders = new Set<string>();
    for (const { folder, depth } of this.roots) this.#collect(folder, depth, folders);
    return folders;
  }

  #collect(folder: string, depth: number, into: Set<string>): void {
    if (this.owns(folder)) return;
    let entries: readonly import("node:fs").Dirent[];
    try {
      entries = readdirSync(folder, { withFileTypes: true });
    } catch {
      return;
    }
    into.add(folder);
    if (depth === 0) return;
    for (const entry of entries) {
      if (entry.isDirectory()) this.#collect(path.join(folder, entry.name), depth - 1, into);
    }
  }
}

/** Where a link of an input leads (absolute), and whether a folder is there. */
export interface LinkTarget {
  readonly target: string;
  readonly folder: boolean;
}

/** The targets of the symlinks that an input matches, where links are followed. */
export async function linkTargets(
  input: FilesInput,
  root: AbsolutePath,
  workspace: AbsolutePath,
): Promise<readonly LinkTarget[]> {
  if (input.links === "keep") return [];
  const found = await search(positiveIn(input), { cwd: root, ignore: ignoredBy(input, root, workspace) });
  return found.flatMap(({ dirent, path: relative }) => {
    if (!dirent.isSymbolicLink()) return [];
    const link = path.join(root, relative);
    const { links, end } = wayBehind(link);
    const ways = links.slice(1).map((target) => ({ target, folder: false }));
    return end === undefined ? ways : [...ways, { target: end, folder: isFolder(end) }];
  });
}

/** The coverage of a graph. `own` are absolute paths that are never anybody's input, such as the cache. */
export async function coverageOf(
  graph: Graph,
  workspace: AbsolutePath,
  own: readonly string[],
  targetsOf: typeof linkTargets = linkTargets,
): Promise<Coverage> {
  const claims: Claim[] = [];
  const roots = new Map<string, number>();
  const add = (folder: string, depth: number): void => {
    roots.set(folder, Math.max(depth, roots.get(folder) ?? 0));
    for (const ancestor of ancestorsOf(folder, workspace)) roots.set(ancestor, roots.get(ancestor) ?? 0);
  };
  for (const bound of graph.values()) {
    for (const input of Object.values(bound.task.inputs)) {
      const root = inputPath(input, bound, workspace);
      const chain = linksOf(root);
      for (const link of chain) add(path.dirname(link), 0);
      if (input.kind === "file") {
        add(path.dirname(root), 0);
        claims.push({ id: bound.id, root, chain });
      } else {
        add(root, depthOf(input));
        claims.push({ id: bound.id, root, chain, matches: await matcherOf(input, root, workspace) });
        for (const { target, folder } of await targetsOf(input, root, workspace)) {
          add(folder ? target : path.dirname(target), folder ? Number.POSITIVE_INFINITY : 0);
          claims.push({ id: bound.id, root: target, chain: [], ...(folder ? { matches: () => true } : {}) });
        }
      }
    }
  }
  const owned = [...graph.values()].flatMap((bound) => bound.outputs.map((output) => output.path));
  return new Coverage(
    [...roots].map(([folder, depth]) => ({ folder, depth })),
    claims,
    [...owned, ...own],
  );
}

/** The folders above one, up to the workspace; of one outside of it only its parent. */
function* ancestorsOf(folder: string, workspace: string): IterableIterator<string> {
  if (!isBelow(folder, workspace)) {
    if (folder !== workspace) yield path.dirname(folder);
    return;
  }
  for (let above = path.dirname(folder); above !== workspace; above = path.dirname(above)) yield above;
  yield workspace;
}

/** The links that lead from a path to what is behind it, and that; nothing where it is no link. */
function linksOf(start: string): readonly string[] {
  const { links, end } = wayBehind(start);
  return links.length === 0 || end === undefined ? links : [...links, end];
}

function depthOf(input: FilesInput): number {
  const patterns = positiveIn(input);
  if (patterns.some((pattern) => pattern.includes("**"))) return Number.POSITIVE_INFINITY;
  return Math.max(0, ...patterns.map((pattern) => pattern.split("/").length - 1));
}

function isFolderOrGone(file: string): boolean {
  try {
    return lstatSync(file).isDirectory();
  } catch {
    return true;
  }
}

function isFolder(place: string): boolean {
  return statSync(place, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
