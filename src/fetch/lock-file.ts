/**
 * The lock on disk. It does not know what the lines mean.
 */
import { readFile, rename, rm, writeFile } from "node:fs/promises";
import { systemErrorCode, UserError } from "../errors/index.ts";
import { formatLock, type Lock, type LockLine, parseLock, type SourceLock } from "./lock.ts";

/** Reads the lock at the absolute `path`, called `label` in messages; a file that does not exist is an empty one. */
export async function readLock(path: string, label: string = path): Promise<Lock> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return new Map();
    throw new UserError(`the lock cannot be read (${systemErrorCode(error)})`, {
      code: "bad-lock",
      where: label,
      cause: error,
    });
  }
  return parseLock(text, label);
}

/** Writes the lock beside `path` (absolute) and renames it; leaves a file that says the same untouched. */
export async function writeLock(path: string, lock: Lock): Promise<"written" | "unchanged"> {
  const text = formatLock(lock);
  const current = await readFile(path, "utf8").catch(() => undefined);
  if (current === text) return "unchanged";
  const part = `${path}.${process.pid}.part`;
  try {
    await writeFile(part, text, { mode: 0o644 });
    await rename(part, path);
  } catch (error) {
    throw new UserError(`the lock cannot be written (${systemErrorCode(error)})`, {
      code: "cannot-write",
      where: path,
      cause: error,
    });
  } finally {
    await rm(part, { force: true });
  }
  return "written";
}

/** A lock with some lines of one source pinned (or, where undefined, dropped); the given one is left as it is. */
export function withLines(
  lock: Lock,
  source: string,
  lines: Iterable<readonly [name: string, line: LockLine | undefined]>,
): Lock {
  const artefacts = new Map<string, LockLine>(lock.get(source) ?? []);
  for (const [name, line] of lines) {
    if (line === undefined) artefacts.delete(name);
    else artefacts.set(name, line);
  }
  return new Map([...lock, [source, artefacts]]);
}

/** The lines of one source; none when the lock does not know it. */
export function linesOf(lock: Lock, source: string): SourceLock {
  return lock.get(source) ?? new Map();
}
