/**
 * The lock as the pipeline uses it: which lines a step is about, reading them, pinning more. It does not know what
 * the lines are pinned for.
 */

import { file, type Parameter, type SelectContext } from "../../src/engine/index.ts";
import {
  type LockLine,
  linesOf,
  parseLock,
  pinLines,
  readLock,
  type SourceLock,
} from "../../src/fetch/index.ts";
import { shownPath } from "../settings/shown-path.ts";
import { kindOf } from "./kinds/index.ts";
import { sourceKey } from "./kinds/source-name.ts";
import { lockFile, source } from "./source-options.ts";

/** Gives the value of a parameter of the step's. */
type Value = <T>(parameter: Parameter<T>) => T;

/** The lines of the lock that a step is about, one an artifact: another step's pins do not make it run again. */
export function lockInput(
  concerns: (artifact: string) => boolean,
  leaveOut: (pins: SourceLock, value: Value, about: SelectContext) => ReadonlySet<string> = () => new Set(),
) {
  return file(lockFile, {
    optional: true,
    mutable: true,
    select: (text, value, about) => {
      // No step reads recorded pins: another variant's do not make this one run again.
      if (kindOf(value(source)).lock.pins === "recorded") return "";
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
  return linesOf(readLock(path, shownPath(path)), sourceKey(name));
}

/** Pins lines of one source, and drops those that are undefined; other sources' lines stay as they are. */
export function writePins(
  path: string,
  name: string,
  lines: ReadonlyMap<string, LockLine | undefined>,
): void {
  pinLines(path, sourceKey(name), lines, shownPath(path));
}
