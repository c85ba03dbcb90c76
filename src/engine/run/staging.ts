/**
 * Where tasks work: a directory for each that runs, with its staged outputs and its scratch files. Nothing in it outlives the
 * run. What a task leaves is removed while others go on: a file system that is busy can take its time over that.
 */

import { existsSync, mkdirSync, readdirSync, rmdir as removeDirectory, rmSync } from "node:fs";
import path from "node:path";
import { promisify } from "node:util";
import { systemErrorCode } from "../../errors/index.ts";
import type { BoundTask } from "../bind/bound-task.ts";
import { directoryName } from "../define/names.ts";
import { Secret } from "../define/secret.ts";
import { removeTree } from "../files/tree-removal.ts";

/** Absolute paths. */
export interface StagingArea {
  readonly directory: string;
  /** What the task makes is written here. */
  readonly staging: string;
  readonly scratch: string;
  /** Home of the commands; made with the first one. */
  readonly home: string;
  /** File for long output. */
  readonly printed: string;
  /** Where what is replaced goes. */
  readonly replaced: string;
  /** Mode of its directory: 0700 where a secret may be written to it. */
  readonly mode: number;
}

const rmdir = promisify(removeDirectory);

export class StagingAreas {
  readonly #root: string;
  #prepared = false;
  /** By directory: what is being removed. */
  readonly #leaving = new Map<string, Promise<void>>();

  /** `root` is on the cache's file system. */
  constructor(root: string) {
    this.#root = root;
  }

  /** Makes the directory that staging areas are in. */
  prepare(): void {
    if (this.#prepared) return;
    mkdirSync(this.#root, { recursive: true });
    this.#prepared = true;
  }

  /** The task's staging area, the same each time. */
  of(bound: BoundTask): StagingArea {
    const directory = path.join(this.#root, `${directoryName(bound.id)}-${process.pid}`);
    return {
      directory,
      staging: path.join(directory, "outputs"),
      scratch: path.join(directory, "scratch"),
      home: path.join(directory, "home"),
      printed: path.join(directory, "printed"),
      replaced: path.join(directory, "replaced"),
      mode: holdsSecret(bound) ? 0o700 : 0o755,
    };
  }

  /**
   * Makes the staging area, with nothing of another in it. Synchronous but for what is still being removed, as all that is a
   * handful of system calls for each task: a thread's answer would cost ten times that.
   */
  async open({ directory, staging, scratch, mode }: StagingArea): Promise<void> {
    await this.#leaving.get(directory);
    this.prepare();
    try {
      mkdirSync(directory, { mode });
    } catch (error) {
      if (systemErrorCode(error) !== "EEXIST") throw error;
      rmSync(directory, { recursive: true });
      mkdirSync(directory, { mode });
    }
    mkdirSync(staging);
    mkdirSync(scratch);
  }

  /** Removes what an earlier attempt left in the staging and the scratch directory, and its commands' home. */
  empty({ staging, scratch, home }: StagingArea): void {
    for (const directory of [staging, scratch]) {
      for (const name of readdirSync(directory)) rmSync(path.join(directory, name), { recursive: true });
    }
    rmSync(home, { recursive: true, force: true });
  }

  /** Begins to remove the staging area; the next `open` of it waits for that. */
  leave(area: StagingArea): void {
    const { directory } = area;
    const removed = remove(area).then(() => void this.#leaving.delete(directory));
    // Those who wait get the failure.
    removed.catch(() => undefined);
    this.#leaving.set(directory, removed);
  }

  /** Resolves when nothing is left of those that were left. */
  async settled(): Promise<void> {
    await Promise.all(this.#leaving.values());
  }
}

/** Whether the task has a secret among its parameters or outputs. */
export function holdsSecret({ outputs, values }: BoundTask): boolean {
  return (
    outputs.some((output) => output.private) || [...values.values()].some((value) => value instanceof Secret)
  );
}

/** Most tasks leave nothing but two empty directories; whatever else there is takes a walk. */
async function remove({ directory, staging, scratch }: StagingArea): Promise<void> {
  try {
    const home = path.join(directory, "home");
    await Promise.all([rmdir(staging), rmdir(scratch), existsSync(home) ? rmdir(home) : undefined]);
    await rmdir(directory);
  } catch {
    await removeTree(directory);
  }
}
