/**
 * Removing what builds made: artifacts and outputs of every variant, or with them the whole cache.
 */
import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import path from "node:path";
import { labelledPlace, labelsIn } from "../bind/matrix.ts";
import { displayPath, isBelow } from "../define/names.ts";
import { tasksOf } from "../define/need.ts";
import { realPath } from "../files/link-path.ts";
import { acquireLock } from "../state/lock.ts";
import type { State } from "../state/state.ts";
import type { Workspace } from "./build-request.ts";
import { placeBy } from "./path-facts.ts";

/**
 * Removes every output that a stamp knows of, and with `all` the cache's directory too. Returns what was removed,
 * relative to the workspace. Files that the engine did not make are never touched.
 */
export async function removeProducts(
  workspace: Workspace,
  options: { readonly all: boolean },
  command: string,
): Promise<readonly string[]> {
  const { state } = workspace;
  if (!existsSync(state.root)) return [];
  state.dropLinks();
  const release = await acquireLock(state.lockFile, command, new AbortController().signal, () => {});
  const removed: string[] = [];
  const remove = async (target: string): Promise<void> => {
    if (!existsSync(target)) return;
    await rm(target, { recursive: true });
    removed.push(displayPath(state.workspace, target));
  };
  try {
    for (const artifact of artifactsOf(workspace)) await remove(artifact);
    await remove(state.outputRoot);
    await remove(state.temporaryRoot);
    if (options.all) {
      for (const part of ["store", "stamps.log", "files.log"]) await remove(path.join(state.root, part));
    }
  } finally {
    release();
  }
  return removed;
}

/**
 * Absolute paths of all artifacts in the workspace that a recorded result placed there. A record alone deletes nothing:
 * the path must be the one that its task, as the Taskfile has it, gives to such a result.
 */
function artifactsOf({ state, taskfile }: Workspace): ReadonlySet<string> {
  const tasks = new Map(tasksOf(taskfile.targets).map((task) => [task.name, task]));
  const artifacts = new Set<string>();
  const labels = labelsByFingerprint(state);
  for (const { stamp } of state.stamps.results()) {
    const parts = new Map(stamp.parts);
    const task = tasks.get(parts.get("task") ?? "");
    if (task === undefined) continue;
    for (const [slot, output] of Object.entries(task.outputs)) {
      const recorded = parts.get(`output ${slot}`);
      const place = recorded?.slice(recorded.indexOf(" ") + 1);
      if (output.place !== "workspace" || place === undefined || !isPlainPath(place)) continue;
      if (place !== placeBy(output, task, stamp)) continue;
      for (const own of [[], ...(labels.get(stamp.fingerprint) ?? [])]) {
        const labelled = labelledPlace(place, own);
        if (staysIn(state.workspace, labelled)) artifacts.add(path.join(state.workspace, labelled));
      }
    }
  }
  return artifacts;
}

/** For results that a matrix made the labels of its tasks, which name the directories of their artifacts. */
function labelsByFingerprint({ stamps }: State): ReadonlyMap<string, readonly (readonly string[])[]> {
  const found = new Map<string, (readonly string[])[]>();
  for (const { id, fingerprint } of stamps.owners()) {
    const labels = labelsIn(id);
    if (labels.length === 0 || !isPlainPath(labels.join("/"))) continue;
    found.set(fingerprint, [...(found.get(fingerprint) ?? []), labels]);
  }
  return found;
}

function isPlainPath(place: string): boolean {
  return place.split("/").every((name) => name !== "" && name !== "." && name !== "..");
}

/** Whether the directory of a place (relative) is in the workspace, links followed. */
function staysIn(workspace: string, place: string): boolean {
  try {
    const directory = realPath(path.dirname(path.join(workspace, place)));
    const home = realPath(workspace);
    return directory === home || isBelow(directory, home);
  } catch {
    return false;
  }
}
