/**
 * Where tasks work: a folder for each that runs, with its staged outputs and its scratch files. Nothing in it outlives the
 * run. What a task leaves is removed while others go on: a file system that is busy can take its time over that.
 */

import { existsSync, mkdirSync, readdirSync, rmdir as removeFolder, rmSync } from "node:fs";
import path from "node:path";
import { promisify } from "node:util";
import { systemErrorCode } from "../../errors/index.ts";
import type { BoundTask } from "../bind/bound-task.ts";
import { absolutePath, folderName } from "../define/names.ts";
import { Secret } from "../define/secret.ts";
import { removeTree } from "../files/tree-removal.ts";
import type { OutputPlaces } from "../state/output.ts";

/** Absolute paths. */
export interface StagingArea {
  readonly folder: string;
  /** What the task makes is written here. */
  readonly staging: string;
  readonly scratch: string;
  /** Home of the commands; made with the first one. */
  readonly home: string;
  /** File for long output. */
  readonly printed: string;
  /** Where what is replaced goes. */
  readonly replaced: string;
  /** Mode of its folder: 0700 where a secret may be written to it. */
  readonly mode: number;
}

const rmdir = promisify(removeFolder);

export class StagingAreas {
  readonly #root: string;
  #prepared = false;
  /** By folder: what is being removed. */
  readonly #leaving = new Map<string, Promise<void>>();

  /** `root` is on the cache's file system. */
  constructor(root: string) {
    this.#root = root;
  }

  /** Makes the folder that staging areas are in. */
  prepare(): void {
    if (this.#prepared) return;
    mkdirSync(this.#root, { recursive: true });
    this.#prepared = true;
  }

  /** The task's staging area, the same each time. */
  of(bound: BoundTask): StagingArea {
    const folder = path.join(this.#root, `${folderName(bound.id)}-${process.pid}`);
    return {
      folder,
      staging: path.join(folder, "outputs"),
      scratch: path.join(folder, "scratch"),
      home: path.join(folder, "home"),
      printed: path.join(folder, "printed"),
      replaced: path.join(folder, "replaced"),
      mode: holdsSecret(bound) ? 0o700 : 0o755,
    };
  }

  /**
   * Makes the staging area, with nothing of another in it. Synchronous but for what is still being removed, as all that is a
   * handful of system calls for each task: a thread's answer would cost ten times that.
   */
  async open({ folder, staging, scratch, mode }: StagingArea): Promise<void> {
    await this.#leaving.get(folder);
    this.prepare();
    try {
      mkdirSync(folder, { mode });
    } catch (error) {
      if (systemErrorCode(error) !== "EEXIST") throw error;
      rmSync(folder, { recursive: true });
      mkdirSync(folder, { mode });
    }
    mkdirSync(staging);
    mkdirSync(scratch);
  }

  /** Removes what an earlier attempt left in the staging and the scratch directory, and its commands' home. */
  empty({ staging, scratch, home }: StagingArea): void {
    for (const folder of [staging, scratch]) {
      for (const name of readdirSync(folder)) rmSync(path.join(folder, name), { recursive: true });
    }
    rmSync(home, { recursive: true, force: true });
  }

  /** Begins to remove the staging area; the next `open` of it waits for that. */
  leave(area: StagingArea): void {
    const { folder } = area;
    const removed = remove(area).then(() => void this.#leaving.delete(folder));
    // Whoever waits is told of a failure.
    removed.catch(() => undefined);
    this.#leaving.set(folder, removed);
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

export function stagedPlaces(bound: BoundTask, { staging }: StagingArea): OutputPlaces {
  return new Map(bound.outputs.map((output) => [output.slot, absolutePath(path.join(staging, output.slot))]));
}

/** Most tasks leave nothing but two empty folders; whatever else there is takes a walk. */
async function remove({ folder, staging, scratch }: StagingArea): Promise<void> {
  try {
    const home = path.join(folder, "home");
    await Promise.all([rmdir(staging), rmdir(scratch), existsSync(home) ? rmdir(home) : undefined]);
    await rmdir(folder);
  } catch {
    await removeTree(folder);
  }
}
