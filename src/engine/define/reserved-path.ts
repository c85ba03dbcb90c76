/** Paths that no artifact may have: sources of the tasks, `.git`, the cache, and inputs of tasks that do not need it. */
import path from "node:path";
import { UserError } from "../../errors/index.ts";
import type { Input } from "./declared-input.ts";
import type { Task } from "./declared-task.ts";
import { type AbsolutePath, cacheDirectory, displayPath, isBelow } from "./names.ts";
import { tasksOf } from "./need.ts";
import { type Matcher, matcherOf, positiveIn } from "./patterns.ts";
import type { SourceLocation } from "./source-location.ts";

export interface Surroundings {
  readonly workspace: AbsolutePath;
  readonly locate: (location: SourceLocation | undefined) => string;
  /** Absolute paths of the files that define the tasks. */
  readonly sources: readonly string[];
}

export interface Artifact {
  readonly task: Task;
  readonly kind: "file" | "directory";
  /** Absolute. */
  readonly path: string;
}

/** A task's inputs with absolute roots; those whose root is not known yet are left out. */
export interface Reader {
  readonly task: Task;
  readonly inputs: ReadonlyMap<string, AbsolutePath>;
}

/** Throws `UserError` `output-reserved` for an artifact at a reserved path. */
export function refuseReserved(artifacts: readonly Artifact[], around: Surroundings): void {
  const { workspace, sources, locate } = around;
  const directories = [".git", cacheDirectory].map((name) => path.join(workspace, name));
  const files = new Set([path.join(workspace, "Taskfile.ts"), ...sources]);
  for (const { task, kind, path: place } of artifacts) {
    const taken =
      (files.has(place) ? place : undefined) ??
      directories.find((directory) => directory === place || isBelow(place, directory)) ??
      (kind === "directory" ? [...directories, ...files].find((one) => isBelow(one, place)) : undefined);
    if (taken === undefined) continue;
    const defines = files.has(taken);
    const [shown, reserved] = [displayPath(workspace, place), displayPath(workspace, taken)];
    throw new UserError(
      shown === reserved
        ? `${task.name} would overwrite ${shown}`
        : `${task.name} would make ${shown}, but no task may write ${reserved}`,
      {
        code: "output-reserved",
        where: `${locate(task.definedAt[0])} and ${reserved}`,
        hint: defines
          ? "place the output elsewhere: a task may not overwrite sources"
          : "place the output elsewhere",
      },
    );
  }
}

/**
 * Throws `UserError` `output-is-others-input` where a task reads what another one makes without needing it: what it found
 * there would depend on which of them ran first.
 */
export async function refuseForeignReads(
  readers: readonly Reader[],
  artifacts: readonly Artifact[],
  { workspace, locate }: Pick<Surroundings, "workspace" | "locate">,
): Promise<void> {
  if (artifacts.length === 0) return;
  const looks = readers.flatMap(({ task, inputs }) =>
    Array.from(inputs, ([name, root]) => ({ task, name, root, bases: basesOf(task.inputs[name], root) })),
  );
  // For most inputs the prefix without wildcards already shows that they lie elsewhere.
  const byDirectory = new Map<string, Artifact[]>();
  for (const { bases } of looks) for (const base of bases) byDirectory.set(base, []);
  for (const artifact of artifacts) {
    let directory: string = artifact.path;
    for (; directory !== ""; directory = directory.slice(0, directory.lastIndexOf("/")))
      byDirectory.get(directory)?.push(artifact);
  }
  const matchers = new Map<string, Matcher>();
  for (const { task, name, root, bases } of looks) {
    const input = task.inputs[name];
    if (input === undefined) continue;
    for (const artifact of new Set(bases.flatMap((base) => byDirectory.get(base) ?? []))) {
      if (artifact.task === task) continue;
      if (input.kind === "files") {
        const key = JSON.stringify([root, input.patterns, input.ignore]);
        const matches = matchers.get(key) ?? (await matcherOf(input, root, workspace));
        matchers.set(key, matches);
        const relative = path.relative(root, artifact.path);
        // The files in an output directory are not known yet, so the pattern is tried with an arbitrary name.
        if (!matches(artifact.kind === "file" ? relative : `${relative}/any`)) continue;
      } else if (root !== artifact.path) continue;
      if (needs(task, artifact.task)) continue;
      throw new UserError(
        `${task.name} reads ${displayPath(workspace, artifact.path)} (input "${name}"), which ${artifact.task.name} makes, but does not need that task`,
        {
          code: "output-is-others-input",
          where: `${locate(task.definedAt[0])} and ${locate(artifact.task.definedAt[0])}`,
          hint: `add ${artifact.task.name} to its needs, or exclude the path in the input's patterns`,
        },
      );
    }
  }
}

/** The directories, absolute, below which all lies that an input means; for a file it is the file itself. */
function basesOf(input: Input | undefined, root: AbsolutePath): readonly string[] {
  if (input === undefined) return [];
  if (input.kind === "file") return [root];
  return positiveIn(input).map((pattern) => {
    const fixed = fixedPart(pattern);
    return fixed === "" ? root : path.join(root, fixed);
  });
}

/** The directories of a pattern before the first name with a wildcard. */
function fixedPart(pattern: string): string {
  const names = pattern.split("/");
  const first = names.findIndex((name) => /[*?{}[\]()!+@|\\]/.test(name));
  return (first === -1 ? names : names.slice(0, first)).join("/");
}

/** Whether one task needs another, directly or through others. */
function needs(task: Task, other: Task): boolean {
  return tasksOf([task]).includes(other);
}
