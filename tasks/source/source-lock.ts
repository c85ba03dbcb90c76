/**
 * The lock as the pipeline uses it: which lines a step is about, reading them, pinning more. It does not know what
 * the lines are pinned for.
 */
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { file } from "../../src/engine/index.ts";
import { systemErrorCode } from "../../src/errors/index.ts";
import {
  formatLock,
  type Lock,
  type LockLine,
  linesOf,
  parseLock,
  publicUrl,
  type SourceLock,
  withLines,
} from "../../src/fetch/index.ts";
import { lockFile, source } from "../settings/options.ts";

/** The name under which a source's pins stand: as it was given, but never with a password. */
export function sourceKey(name: string): string {
  return isLocation(name) ? publicUrl(name) : name;
}

/** Whether a source is a mirror's URL or folder, rather than a name of the sources file. */
export function isLocation(name: string): boolean {
  return /^[a-z]+:\/\//i.test(name) || name.includes("/");
}

/** The lines of the lock that a step is about, one an artefact: another step's pins do not make it run again. */
export function lockInput(concerns: (artefact: string) => boolean) {
  return file(lockFile, {
    optional: true,
    revised: true,
    select: (text, value) => {
      // The sample source's pins are a record that no step reads: another variant's do not make this one run again.
      if (value(source) === "sample") return "";
      return [...linesOf(parseLock(text, value(lockFile)), sourceKey(value(source)))]
        .filter(([name]) => concerns(name))
        .map(([name, line]) => `${name} ${JSON.stringify(line)}\n`)
        .join("");
    },
  });
}

/** What is pinned for one source in the lock at the absolute `path`. */
export function readPins(path: string, name: string): SourceLock {
  return linesOf(loadLock(path), sourceKey(name));
}

/**
 * Pins lines of one source, and drops those that are undefined; other sources' lines stay as they are.
 * Synchronous from reading to renaming, so that no other step's pins come between.
 */
export function writePins(
  path: string,
  name: string,
  lines: ReadonlyMap<string, LockLine | undefined>,
): void {
  if (lines.size === 0) return;
  const lock = withLines(loadLock(path), sourceKey(name), lines);
  const part = `${path}.${process.pid}.tmp`;
  writeFileSync(part, formatLock(lock), { mode: 0o644 });
  renameSync(part, path);
}

function loadLock(path: string): Lock {
  try {
    return parseLock(readFileSync(path, "utf8"), path);
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return new Map();
    throw error;
  }
}
