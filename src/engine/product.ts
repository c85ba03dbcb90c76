/**
 * Removing what builds made: artefacts and outputs of every variant, or with them the whole cache.
 */
import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import path from "node:path";
import type { Workspace } from "./build-request.ts";
import { displayPath } from "./input.ts";
import { decodeListing } from "./listing.ts";
import { acquireLock } from "./lock.ts";
import { cacheFolder } from "./names.ts";

/**
 * Removes every output that a stamp knows of, and with `all` the cache's folder too. Returns what was removed,
 * relative to the workspace. Files that the engine did not make are never touched.
 */
export async function removeProducts(
  workspace: Workspace,
  options: { readonly all: boolean },
  command: string,
): Promise<readonly string[]> {
  const { state } = workspace;
  if (!existsSync(state.root)) return [];
  const release = await acquireLock(state.lockFile, command, new AbortController().signal, () => {});
  const removed: string[] = [];
  const remove = async (target: string): Promise<void> => {
    if (!existsSync(target)) return;
    await rm(target, { recursive: true });
    removed.push(displayPath(state.workspace, target));
  };
  try {
    for (const artefact of artefactsOf(workspace)) await remove(artefact);
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

/** Absolute paths of all artefacts in the workspace that a recorded result placed there. */
function artefactsOf({ state }: Workspace): ReadonlySet<string> {
  const artefacts = new Set<string>();
  for (const { stamp } of state.stamps.results()) {
    const slots = new Set([...decodeListing(stamp.outputs).keys()].map((name) => name.split("/")[0] ?? ""));
    for (const [label, value] of stamp.parts) {
      const slot = label.startsWith("output ") ? label.slice("output ".length) : undefined;
      if (slot === undefined || !slots.has(slot)) continue;
      const place = value.slice(value.indexOf(" ") + 1);
      if (!place.startsWith(`${cacheFolder}/`)) artefacts.add(path.resolve(state.workspace, place));
    }
  }
  return artefacts;
}
