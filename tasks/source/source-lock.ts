/**
 * The lock as the pipeline uses it: which lines a step is about, reading them, pinning more. It does not know what
 * the lines are pinned for.
 */
import { displayPath, file, type Parameter, type SelectContext } from "../../src/engine/index.ts";
import {
  type LockLine,
  linesOf,
  parseLock,
  pinLines,
  publicUrl,
  readLock,
  type SourceLock,
} from "../../src/fetch/index.ts";
import { isLocation, lockFile, source } from "../settings/source-options.ts";

/** The name under which a source's pins stand: as it was given, but never with a password. */
export function sourceKey(name: string): string {
  return isLocation(name) ? publicUrl(name) : name;
}

/** Gives the value of a parameter of the step's. */
export type Value = <T>(parameter: Parameter<T>) => T;

/** The lines of the lock that a step is about, one an artifact: another step's pins do not make it run again. */
export function lockInput(
  concerns: (artifact: string) => boolean,
  leaveOut: (pins: SourceLock, value: Value, about: SelectContext) => ReadonlySet<string> = () => new Set(),
) {
  return file(lockFile, {
    optional: true,
    mutable: true,
    select: (text, value, about) => {
      // The sample source's pins are a record that no step reads: another variant's do not make this one run again.
      if (value(source) === "sample") return "";
      const pins = linesOf(parseLock(text, value(lockFile)), sourceKey(value(source)));
      const left = leaveOut(pins, value, about);
      return [...pins]
        .filter(([name]) => concerns(name) && !left.has(name))
        .map(([name, line]) => `${name} ${JSON.stringify(line)}\n`)
        .join("");
    },
  });
}

/** What is pinned for one source in the lock at the absolute `path`. */
export function readPins(path: string, name: string): SourceLock {
  return linesOf(readLock(path, labelOf(path)), sourceKey(name));
}

/** Pins lines of one source, and drops those that are undefined; other sources' lines stay as they are. */
export function writePins(
  path: string,
  name: string,
  lines: ReadonlyMap<string, LockLine | undefined>,
): void {
  pinLines(path, sourceKey(name), lines, labelOf(path));
}

function labelOf(path: string): string {
  return displayPath(process.cwd(), path);
}
