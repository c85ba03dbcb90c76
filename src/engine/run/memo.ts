/**
 * Pieces of work within a task that are done once for the same inputs, also in later builds: what a piece makes is
 * found by a key that holds all it depends on, and the task's code and tools.
 */

import { lstatSync } from "node:fs";
import path from "node:path";
import { absolutePath, isDigest } from "../define/names.ts";
import type { Memo } from "../define/task-context-types.ts";
import { digestOfFile, digestOfParts } from "../files/digest.ts";
import type { Part } from "../state/stamp.ts";
import type { State } from "../state/state.ts";

/** The memo of one run of a task with these parts of its fingerprint; files are put into `directory` (absolute). */
export function memoFor(task: string, parts: readonly Part[], directory: string, state: State): Memo {
  const base = parts.filter(([label]) => /^(format$|code$|tool )/.test(label)).flat();
  let count = 0;
  return async (key, make) => {
    const name = `memo ${digestOfParts([task, ...base, ...key])}`;
    const file = absolutePath(path.join(directory, `memo-${count++}`));
    const known = state.fileLog.get(name);
    if (isDigest(known) && state.store.has(known) && (await state.store.copyOut(known, file, 0o644)))
      return file;
    await make(file);
    const { size } = lstatSync(file);
    const digest = await digestOfFile(file, size);
    await state.store.putFile(file, digest, size);
    state.fileLog.set(name, digest);
    return file;
  };
}
