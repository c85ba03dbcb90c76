/** Tracks the paths that computed parameter values depend on, and whether a burst of events changed a value. */
import { statSync } from "node:fs";
import path from "node:path";
import type { ParameterValues } from "../define/parameter-values.ts";
import type { Burst } from "./burst.ts";

export class ValueSources {
  #paths: ReadonlySet<string> = new Set();
  #values: ParameterValues | undefined;

  /** Replaces the tracked values. Returns whether they depend on paths that were not tracked before. */
  async follow(values: ParameterValues): Promise<boolean> {
    const before = this.#paths;
    this.#values = values;
    this.#paths = new Set((await values.dependsOn()).paths);
    return [...this.#paths].some((one) => !before.has(one));
  }

  /** Whether a value may depend on an absolute path: the path or its directory is tracked. */
  has(file: string): boolean {
    return this.#paths.has(file) || this.#paths.has(path.dirname(file));
  }

  /** Absolute paths of the existing directories to watch for changes of these paths. */
  directories(): ReadonlySet<string> {
    const candidates = new Set([...this.#paths].flatMap((one) => [one, path.dirname(one)]));
    return new Set([...candidates].filter(isDirectory));
  }

  /** The names of parameters whose values changed; none where the burst touched no tracked path. */
  async movedBy(burst: Burst): Promise<readonly string[]> {
    if (this.#values === undefined) return [];
    if (!burst.flood && ![...burst.paths].some((file) => this.has(file))) return [];
    return await this.#values.moved();
  }
}

function isDirectory(file: string): boolean {
  return statSync(file, { throwIfNoEntry: false })?.isDirectory() === true;
}
