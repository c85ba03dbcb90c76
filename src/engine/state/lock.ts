/**
 * The lock between invocations: one build at a time changes the state. It names its owner, so that a second
 * invocation can say whom it waits for, and a lock whose owner is dead is taken over.
 */
import { linkSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import path from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { systemErrorCode } from "../../errors/index.ts";
import type { AbsolutePath } from "../define/names.ts";

interface LockOwner {
  readonly host: string;
  readonly pid: number;
  /** When the process started, as the kernel counts it: tells a reused process id from the owner. */
  readonly started: string;
  readonly command: string;
  /** Makes every lock file's content unique. */
  readonly token: string;
}

const pollMs = 50;
/** A takeover is two system calls; one that is this old, in milliseconds, was ended half way. */
const takeoverMs = 2000;

/**
 * Takes the lock at `file` (absolute) and returns how to release it. While another live process holds it, waits;
 * `onWait` is called once for each owner waited for. Rejects when `signal` fires.
 */
export async function acquireLock(
  file: AbsolutePath,
  command: string,
  signal: AbortSignal,
  onWait: (owner: LockOwner) => void,
): Promise<() => void> {
  mkdirSync(path.dirname(file), { recursive: true });
  const token = `${process.pid}-${process.hrtime.bigint()}`;
  const mine = `${file}.${token}`;
  const content = JSON.stringify({
    host: hostname(),
    pid: process.pid,
    started: startOf(process.pid) ?? "",
    command,
    token,
  } satisfies LockOwner);
  writeFileSync(mine, content, { flag: "wx" });
  let waitedFor: string | undefined;
  try {
    for (;;) {
      signal.throwIfAborted();
      // link(2) fails when the name is taken and otherwise shows the lock complete: no reader sees half of it.
      if (tryLink(mine, file)) return heldUntilExit(() => release(file, content));
      const owner = readOwner(file);
      if (owner === "gone") continue;
      if (owner === "unreadable" || !isAlive(owner)) {
        removeDead(file);
        await pause(1);
        continue;
      }
      if (waitedFor !== owner.token) onWait(owner);
      waitedFor = owner.token;
      await pause(pollMs);
    }
  } finally {
    rmSync(mine, { force: true });
  }
}

/** Releases the lock also when the process exits while it holds it. */
function heldUntilExit(release: () => void): () => void {
  process.once("exit", release);
  return () => {
    process.off("exit", release);
    release();
  };
}

function tryLink(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if (systemErrorCode(error) === "EEXIST") return false;
    throw error;
  }
}

function readOwner(file: string): LockOwner | "gone" | "unreadable" {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === "ENOENT") return "gone";
    // A directory in its place is nobody's lock.
    if (code === "EISDIR") return "unreadable";
    throw error;
  }
  try {
    const owner = JSON.parse(text) as Partial<LockOwner>;
    return typeof owner.pid === "number" && typeof owner.token === "string"
      ? (owner as LockOwner)
      : "unreadable";
  } catch {
    return "unreadable";
  }
}

function isAlive(owner: LockOwner): boolean {
  // Another machine's processes cannot be asked about: its lock holds until it is released.
  if (owner.host !== hostname()) return true;
  try {
    process.kill(owner.pid, 0);
  } catch (error) {
    if (systemErrorCode(error) === "ESRCH") return false;
  }
  const started = startOf(owner.pid);
  return started === undefined || owner.started === "" || started === owner.started;
}

/** Field 22 of /proc/PID/stat (proc(5)), or undefined where there is no such file system. */
function startOf(pid: number): string | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    return text.slice(text.lastIndexOf(")") + 2).split(" ")[19];
  } catch {
    return undefined;
  }
}

/**
 * Several processes may find the same dead owner. Only the one that makes the directory `lock.takeover` may remove its
 * lock, and it looks again first: the lock may have become a living one's since. A directory that a crash left is
 * removed by the process that finds it older than any takeover takes.
 */
function removeDead(file: string): void {
  const right = `${file}.takeover`;
  try {
    mkdirSync(right);
  } catch (error) {
    if (systemErrorCode(error) !== "EEXIST") throw error;
    const age = Date.now() - (statSync(right, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
    if (Math.abs(age) > takeoverMs) rmSync(right, { recursive: true, force: true });
    return;
  }
  try {
    const owner = readOwner(file);
    if (owner === "unreadable" || (owner !== "gone" && !isAlive(owner))) {
      rmSync(file, { recursive: true, force: true });
    }
  } finally {
    rmSync(right, { recursive: true, force: true });
  }
}

function release(file: string, content: string): void {
  try {
    if (readFileSync(file, "utf8") === content) rmSync(file);
  } catch (error) {
    if (systemErrorCode(error) !== "ENOENT") throw error;
  }
}
