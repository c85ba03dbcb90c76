/**
 * The child processes of one run, each leading its own process group, and how they are ended.
 * It knows nothing of what the processes do.
 */
import { type ChildProcess, spawn as nodeSpawn } from "node:child_process";

/** Sends a signal to a whole process group; a group that is gone already is not an error. */
function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
  }
}

function groupIsAlive(pid: number): boolean {
  try {
    process.kill(-pid, 0);
    return true;
  } catch {
    return false;
  }
}

export class ProcessGroups {
  readonly #leaders = new Set<number>();
  #closed = false;

  /** Same contract as `child_process.spawn`, but the child leads a new process group that is remembered. */
  readonly spawn: typeof nodeSpawn = ((command: string, args: readonly string[], options: object) => {
    if (this.#closed) throw new Error("no process is started after the run was ended");
    const child: ChildProcess = nodeSpawn(command, args, { ...options, detached: true });
    const { pid } = child;
    if (pid !== undefined) {
      this.#leaders.add(pid);
      child.once("close", () => {
        if (!groupIsAlive(pid)) this.#leaders.delete(pid);
      });
    }
    return child;
  }) as typeof nodeSpawn;

  /** Process ids of the group leaders that may still have members. */
  get leaders(): readonly number[] {
    return [...this.#leaders];
  }

  /**
   * Ends every group: TERM, then KILL for what is left after `graceMs` milliseconds.
   * Resolves when none is alive. No process can be started through this object afterwards.
   */
  async terminate(graceMs = 2000): Promise<void> {
    this.#closed = true;
    for (const pid of this.#leaders) signalGroup(pid, "SIGTERM");
    const deadline = performance.now() + graceMs;
    while (this.#anyAlive() && performance.now() < deadline) await pause(20);
    for (const pid of this.#leaders) if (groupIsAlive(pid)) signalGroup(pid, "SIGKILL");
    while (this.#anyAlive() && performance.now() < deadline + 5000) await pause(10);
    this.#leaders.clear();
  }

  #anyAlive(): boolean {
    return [...this.#leaders].some(groupIsAlive);
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
