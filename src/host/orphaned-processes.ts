/**
 * Processes that left the group they were started in (setsid(2) does that, as every daemon), found by a mark that
 * their environment carries from the process that started them. Needs Linux's /proc; elsewhere none is found.
 */
import { readdirSync, readFileSync } from "node:fs";

/** The variable that marks a process and all that it starts; its value is the directory it works for. */
export const markVariable = "TASK_STAGING";

export interface OrphanedProcess {
  readonly pid: number;
  /** The value of its mark. */
  readonly mark: string;
  /** Its command line, words separated by a space. */
  readonly command: string;
}

/** Every other living process of this user that is marked with `directory` (absolute) or something below it. */
export function findOrphans(directory: string): readonly OrphanedProcess[] {
  return processIds().flatMap((pid) => {
    if (pid === process.pid) return [];
    const mark = markOf(pid);
    if (mark === undefined || (mark !== directory && !mark.startsWith(`${directory}/`))) return [];
    return [{ pid, mark, command: readText(pid, "cmdline").split("\0").join(" ").trim() }];
  });
}

/** Finds them, and ends them at once: whatever they do, nobody waits for it any more. Returns those that were found. */
export function endOrphans(directory: string): readonly OrphanedProcess[] {
  const found = new Map<number, OrphanedProcess>();
  // What one started just before it was ended is found by looking again.
  for (let look = 0; look < 5; look += 1) {
    const left = findOrphans(directory).filter(({ pid }) => !found.has(pid));
    if (left.length === 0) break;
    for (const orphan of left) {
      found.set(orphan.pid, orphan);
      try {
        process.kill(orphan.pid, "SIGKILL");
      } catch {
        // It was quicker.
      }
    }
  }
  return [...found.values()];
}

function processIds(): readonly number[] {
  try {
    return readdirSync("/proc")
      .map(Number)
      .filter((pid) => pid > 0);
  } catch {
    return [];
  }
}

/** proc(5): the initial environment, entries ended by NUL; empty for a zombie, unreadable for other users'. */
function markOf(pid: number): string | undefined {
  const entry = `\0${readText(pid, "environ")}`.split(`\0${markVariable}=`)[1];
  return entry?.split("\0")[0];
}

function readText(pid: number, name: string): string {
  try {
    return readFileSync(`/proc/${pid}/${name}`, "utf8");
  } catch {
    return "";
  }
}
