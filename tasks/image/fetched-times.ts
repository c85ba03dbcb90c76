/** Times of fetched files, stored as JSON beside them, since outputs of tasks have no times. */
import { readFile, writeFile } from "node:fs/promises";
import { type LockLine, pinnedTime } from "../../src/fetch/index.ts";
import { compareNames } from "../../src/formats/index.ts";
import { undated } from "../settings/undated.ts";

/** Times in seconds since 1970, by the path of the file among the outputs of a fetch step. */
export class FetchedTimes {
  readonly #times = new Map<string, number>();
  readonly #hasTimes: boolean;

  /** `hasTimes`: whether the pinned times count. */
  constructor({ hasTimes }: { readonly hasTimes: boolean }) {
    this.#hasTimes = hasTimes;
  }

  /** Adds the file at `path`, with the time in its line of the lock. */
  add(path: string, line: LockLine | undefined): void {
    const time = this.#hasTimes ? pinnedTime(line) : undefined;
    if (time !== undefined) this.set(path, time);
  }

  set(path: string, seconds: number): void {
    this.#times.set(path, seconds);
  }

  /** Writes them to an absolute path, for `readTimes`. */
  async write(file: string): Promise<void> {
    const sorted = [...this.#times].sort(([a], [b]) => compareNames(a, b));
    await writeFile(file, `${JSON.stringify(Object.fromEntries(sorted), undefined, 1)}\n`);
  }
}

/** Reads what `FetchedTimes` wrote; returns the time of a path, `undated` for one without. */
export async function readTimes(file: string): Promise<(path: string) => number> {
  const times = new Map(Object.entries(JSON.parse(await readFile(file, "utf8")) as Record<string, number>));
  return (path) => times.get(path) ?? undated;
}
