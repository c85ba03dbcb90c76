/** The paths that computed parameter values come from, and whether a burst of events made a value another one. */
import { statSync } from "node:fs";
import path from "node:path";
import type { ParameterValues } from "../parameter.ts";
import type { Burst } from "./burst.ts";

export class ValueSources {
  #paths: ReadonlySet<string> = new Set();
  #values: ParameterValues | undefined;

  /** From here on it is about these values. Returns whether they come from paths that were not known before. */
  async follow(values: ParameterValues): Promise<boolean> {
    const before = this.#paths;
    this.#values = values;
    this.#paths = new Set((await values.lookedAt()).paths);
    return [...this.#paths].some((one) => !before.has(one));
  }

  /** Whether a value may come from what stands at an absolute path: it is named, or in a folder that is. */
  has(file: string): boolean {
    return this.#paths.has(file) || this.#paths.has(path.dirname(file));
  }

  /** The folders that tell of changes to these paths, absolute; those that exist. */
  folders(): ReadonlySet<string> {
    const candidates = new Set([...this.#paths].flatMap((one) => [one, path.dirname(one)]));
    return new Set([...candidates].filter(isFolder));
  }

  /** The names of parameters whose values are others now; none where the burst touched nothing that they come from. */
  async movedBy(burst: Burst): Promise<readonly string[]> {
    if (this.#values === undefined) return [];
    if (!burst.flood && ![...burst.paths].some((file) => this.has(file))) return [];
    return await this.#values.moved();
  }
}

function isFolder(file: string): boolean {
  return statSync(file, { throwIfNoEntry: false })?.isDirectory() === true;
}
