/**
 * Inputs that are made once when they are absent, and are the user's from then on: keys, for instance. Done before
 * anything is decided, since a decision needs to know them.
 */

import { mkdir, rename, rm } from "node:fs/promises";
import path from "node:path";
import { createShell, ProcessGroups } from "../../host/index.ts";
import type { Graph } from "../bind/bound-task.ts";
import { inputPath } from "../bind/input-path.ts";
import { findTool, type ToolHint } from "../bind/tool.ts";
import type { GeneratedOnce } from "../define/declared-input.ts";
import type { AbsolutePath } from "../define/names.ts";
import { displayPath } from "../define/names.ts";
import { isEmptyDirectory } from "../files/input.ts";
import type { State } from "../state/state.ts";

/** Fills every absent seeded input of the graph; a directory that holds anything is left alone. */
export async function generateInputs(
  graph: Graph,
  state: State,
  toolHint: ToolHint,
  signal: AbortSignal,
  note: (message: string) => void,
): Promise<void> {
  for (const bound of graph.values()) {
    for (const input of Object.values(bound.task.inputs)) {
      if (input.kind !== "files" || input.generate === undefined) continue;
      const directory = inputPath(input, bound, state.workspace);
      if (!isEmptyDirectory(directory)) continue;
      for (const tool of input.generate.tools) findTool(tool, toolHint);
      await generate(input.generate, directory, state, signal, note);
    }
  }
}

/** Made beside and renamed, so that an interrupted seeding leaves nothing that looks complete. */
async function generate(
  recipe: GeneratedOnce,
  directory: AbsolutePath,
  state: State,
  signal: AbortSignal,
  note: (message: string) => void,
): Promise<void> {
  const beside = `${directory}.${process.pid}.tmp`;
  const home = path.join(state.temporaryRoot, `seed-${process.pid}`);
  const groups = new ProcessGroups();
  const end = (): void => void groups.terminate();
  signal.addEventListener("abort", end, { once: true });
  try {
    await mkdir(beside, { recursive: true, mode: 0o700 });
    await recipe.make({
      directory: beside,
      $: await createShell({ cwd: beside, home, tools: recipe.tools, groups }),
    });
    signal.throwIfAborted();
    await rm(directory, { recursive: true, force: true });
    await rename(beside, directory);
    state.files.forgetBelow(directory);
    note(`created ${displayPath(state.workspace, directory)}; do not add it to version control`);
  } finally {
    signal.removeEventListener("abort", end);
    await groups.terminate(0);
    await rm(beside, { recursive: true, force: true });
    await rm(home, { recursive: true, force: true });
  }
}
