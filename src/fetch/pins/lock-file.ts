/**
 * The lock on disk. It does not know what the lines mean.
 */
import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { systemErrorCode, UserError } from "../../errors/index.ts";
import { formatLock, type Lock, type LockLine, parseLock, type SourceLock } from "./lock.ts";

/** Reads the lock at the absolute `path`, called `label` in messages; a file that does not exist is an empty one. */
export function readLock(path: string, label: string = path): Lock {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return new Map();
    throw new UserError(`the lock cannot be read (${systemErrorCode(error)})`, {
      code: "bad-lock",
      hint: "make it readable for your user, or restore it from version control",
      where: label,
      cause: error,
    });
  }
  return parseLock(text, label);
}

/**
 * Pins lines of one source in the lock at the absolute `path`, and drops those that are undefined; what other sources
 * have stays, and a file that says all this already is left untouched. Written beside and renamed; synchronous from
 * reading to renaming, so that nobody else's pins come between.
 */
export function pinLines(
  path: string,
  source: string,
  lines: ReadonlyMap<string, LockLine | undefined>,
  label: string = path,
): void {
  if (lines.size === 0) return;
  const lock = readLock(path, label);
  const text = formatLock(withLines(lock, source, lines));
  if (text === formatLock(lock)) return;
  const part = `${path}.${process.pid}.part`;
  try {
    writeFileSync(part, text, { mode: 0o644 });
    renameSync(part, path);
  } catch (error) {
    throw new UserError(`the lock cannot be written (${systemErrorCode(error)})`, {
      code: "cannot-write",
      where: label,
      hint: "make the file and its directory writable; complete downloads are kept",
      cause: error,
    });
  } finally {
    rmSync(part, { force: true });
  }
}

/** A lock with some lines of one source pinned (or, where undefined, dropped); the given one is left as it is. */
function withLines(lock: Lock, source: string, lines: ReadonlyMap<string, LockLine | undefined>): Lock {
  const artifacts = new Map<string, LockLine>(lock.get(source) ?? []);
  for (const [name, line] of lines) {
    if (line === undefined) artifacts.delete(name);
    else artifacts.set(name, line);
  }
  return new Map([...lock, [source, artifacts]]);
}

/** The lines of one source; none when the lock does not know it. */
export function linesOf(lock: Lock, source: string): SourceLock {
  return lock.get(source) ?? new Map();
}
