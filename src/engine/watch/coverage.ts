/**
 * What a graph's inputs make worth watching: the directories that own them, and the tasks that a path concerns. It decides
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

/** A directory whose own entries count, and down to which depth those below it do. */
interface WatchRoot {
  /** Absolute; may not exist. */
  readonly directory: string;
  /** How many levels of directories below it count too. */
  readonly depth: number;
}

interface Claim {
  readonly id: TaskId;
  /** Absolute path of the file, or of the directory that patterns are relative to. */
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
    let directory: boolean | undefined;
    for (const { id, root, chain, matches } of this.#claims) {
      if (concerned.has(id)) continue;
      if (file === root || chain.includes(file) || isBelow(root, file)) concerned.add(id);
      else if (matches !== undefined && isBelow(file, root)) {
        // What was there may have been a directory full of inputs, and what is there may be one.
        directory ??= isDirectoryOrGone(file);
        if (directory || matches(path.relative(root, file))) concerned.add(id);
      }
    }
    return concerned;
  }

  /** Every directory that exists and is to be watched, absolute. */
  directories(): ReadonlySet<string> {
    const directories = new Set<string>();
    for (const { directory, depth } of this.roots) this.#collect(directory, depth, directories);
    return directories;
  }

  #collect(directory: string, depth: number, into: Set<string>): void {
    if (this.owns(directory)) return;
    let entries: readonly import("node:fs").Dirent[];
    try {
      entries = readdirSync(directory, { withFileTypes: true });
    } catch {
      return;
    }
    into.add(directory);
    if (depth === 0) return;
    for (const entry of entries) {
      if (entry.isDirectory()) this.#collect(path.join(directory, entry.name), depth - 1, into);
    }
  }
}

/** Where a link of an input leads (absolute), and whether a directory is there. */
export interface LinkTarget {
  readonly target: string;
  readonly directory: boolean;
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
    const ways = links.slice(1).map((target) => ({ target, directory: false }));
    return end === undefined ? ways : [...ways, { target: end, directory: isDirectory(end) }];
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
  const add = (directory: string, depth: number): void => {
    roots.set(directory, Math.max(depth, roots.get(directory) ?? 0));
    for (const ancestor of ancestorsOf(directory, workspace)) roots.set(ancestor, roots.get(ancestor) ?? 0);
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
        for (const { target, directory } of await targetsOf(input, root, workspace)) {
          add(directory ? target : path.dirname(target), directory ? Number.POSITIVE_INFINITY : 0);
          claims.push({
            id: bound.id,
            root: target,
            chain: [],
            ...(directory ? { matches: () => true } : {}),
          });
        }
      }
    }
  }
  const owned = [...graph.values()].flatMap((bound) => bound.outputs.map((output) => output.path));
  return new Coverage(
    [...roots].map(([directory, depth]) => ({ directory, depth })),
    claims,
    [...owned, ...own],
  );
}

/** The directories above one, up to the workspace; of one outside of it only its parent. */
function* ancestorsOf(directory: string, workspace: string): IterableIterator<string> {
  if (!isBelow(directory, workspace)) {
    if (directory !== workspace) yield path.dirname(directory);
    return;
  }
  for (let above = path.dirname(directory); above !== workspace; above = path.dirname(above)) yield above;
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

function isDirectoryOrGone(file: string): boolean {
  try {
    return lstatSync(file).isDirectory();
  } catch {
    return true;
  }
}

function isDirectory(place: string): boolean {
  return statSync(place, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
