/**
 * The child processes of one run, each leading its own process group, and how they are ended.
 * It knows nothing of what the processes do.
 */
import { type ChildProcess, spawn as nodeSpawn } from "node:child_process";
import path from "node:path";

/** What `spawn` would start for a command line with its option `shell`: only so can it be put into another command. */
function withoutShell(
  command: string,
  args: readonly string[],
  options: object,
): readonly [string, readonly string[]] {
  const shell = "shell" in options && typeof options.shell === "string" ? options.shell : undefined;
  if (shell === undefined) return [command, args];
  // With a socket as standard input bash takes itself for a remote shell, and reads the user's ~/.bashrc.
  const plain = path.basename(shell) === "bash" ? ["--norc", "--noprofile"] : [];
  return [shell, [...plain, "-c", [command, ...args].join(" ")]];
}

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

/** What is told of each process that is started. */
export interface ProcessListener {
  readonly started: (pid: number, command: string) => void;
  readonly ended: (pid: number) => void;
}

/** Puts a command into another one, such as a tracer: returns what is started instead. */
export type CommandWrapper = (
  command: string,
  args: readonly string[],
) => readonly [string, readonly string[]];

export interface ProcessGroupsOptions {
  readonly listener?: ProcessListener;
  readonly wrap?: CommandWrapper;
}

export class ProcessGroups {
  readonly #leaders = new Set<number>();
  readonly #options: ProcessGroupsOptions;
  #closed = false;

  constructor(options: ProcessGroupsOptions = {}) {
    this.#options = options;
  }

  /** Same contract as `child_process.spawn`, but the child leads a new process group that is remembered. */
  readonly spawn: typeof nodeSpawn = ((command: string, args: readonly string[], options: object) => {
    if (this.#closed) throw new Error("no process is started after the run was ended");
    const direct = withoutShell(command, args, options);
    const [program, words] = this.#options.wrap?.(...direct) ?? direct;
    const child: ChildProcess = nodeSpawn(program, words, { ...options, shell: false, detached: true });
    const { pid } = child;
    if (pid !== undefined) {
      this.#leaders.add(pid);
      this.#options.listener?.started(pid, command);
      child.once("close", () => {
        this.#options.listener?.ended(pid);
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
