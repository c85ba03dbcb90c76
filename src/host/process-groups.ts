/** The child processes of one run, each leading its own process group, and how they are ended. */
import { type ChildProcess, spawn as nodeSpawn, type SpawnOptions } from "node:child_process";
import path from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { launchOf } from "./launch.ts";
import { endOrphans, markVariable } from "./orphaned-processes.ts";
import type { Argv } from "./template-command.ts";

/** Milliseconds within which the output of a command that has ended comes to its end too. */
const outputGraceMs = 200;

/** Sends a signal to a process, or to a whole process group (kill(2)); one that is gone already is not an error. */
function send(target: number, signal: NodeJS.Signals): void {
  try {
    process.kill(target, signal);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
  }
}

function isAlive(target: number): boolean {
  try {
    process.kill(target, 0);
    return true;
  } catch {
    return false;
  }
}

/** Receives the start and the end of each process. */
export interface ProcessListener {
  readonly started: (pid: number, command: string) => void;
  readonly ended: (pid: number) => void;
}

/** Puts a command into another one, such as a tracer: returns what is started instead. */
export type CommandWrapper = (
  command: string,
  args: readonly string[],
) => readonly [string, readonly string[]];

interface ProcessGroupsOptions {
  readonly listener?: ProcessListener;
  readonly wrap?: CommandWrapper;
  /** The processes have the terminal: they stay in the program's own process group, and are ended one by one. */
  readonly foreground?: boolean;
  /** Absolute path of the directory that the processes work for: what leaves its group is still known by it. */
  readonly mark?: string;
}

export class ProcessGroups {
  readonly #leaders = new Set<number>();
  /** Those whose output has not come to its end. */
  readonly #open = new Set<ChildProcess>();
  readonly #options: ProcessGroupsOptions;
  #closed = false;
  #count = 0;

  constructor(options: ProcessGroupsOptions = {}) {
    this.#options = options;
  }

  /**
   * Same contract as `child_process.spawn`, but the child leads a new process group that is remembered, and is over
   * when its first process is: what that leaves behind is ended.
   */
  readonly spawn: typeof nodeSpawn = ((command: string, args: readonly string[], options: SpawnOptions) =>
    this.#start(command, args, options, undefined)) as typeof nodeSpawn;

  /** `spawn` for a command line whose argument vector may be known when it is started. */
  spawnByArgv(argv: () => Argv | undefined): typeof nodeSpawn {
    return ((command: string, args: readonly string[], options: SpawnOptions) =>
      this.#start(command, args, options, argv())) as typeof nodeSpawn;
  }

  #start(
    command: string,
    args: readonly string[],
    options: SpawnOptions,
    argv: Argv | undefined,
  ): ChildProcess {
    if (this.#closed) throw new Error("the run has ended: no further process is started");
    const launch = launchOf(command, args, options, argv);
    const mark = this.#nextMark();
    const env = mark === undefined ? {} : { env: { ...environmentOf(options), [markVariable]: mark } };
    const [program, words] = this.#options.wrap?.(launch.program, launch.words) ?? [
      launch.program,
      launch.words,
    ];
    const detached = this.#options.foreground !== true;
    const child = nodeSpawn(program, words, { ...options, shell: false, ...env, detached });
    const { pid } = child;
    if (pid !== undefined) {
      this.#leaders.add(pid);
      this.#open.add(child);
      this.#options.listener?.started(pid, command);
      endWhatIsLeft(child, this.#target(pid), mark);
      child.once("close", () => {
        this.#open.delete(child);
        this.#options.listener?.ended(pid);
        if (!isAlive(this.#target(pid))) this.#leaders.delete(pid);
      });
    }
    return child;
  }

  /** Every command has a mark of its own, so that what one left is not taken for what another is doing. */
  #nextMark(): string | undefined {
    this.#count += 1;
    return this.#options.mark === undefined ? undefined : path.join(this.#options.mark, `${this.#count}`);
  }

  /** Process ids of the group leaders that may still have members. */
  get leaders(): readonly number[] {
    return [...this.#leaders];
  }

  /** Ends every group at once; `terminate` then has nothing left to wait for. */
  kill(): void {
    this.#closed = true;
    for (const pid of this.#leaders) send(this.#target(pid), "SIGKILL");
  }

  /**
   * Ends every group: TERM, then KILL for what is left after `graceMs` milliseconds.
   * Resolves when none is alive. No process can be started through this object afterwards.
   */
  async terminate(graceMs = 2000): Promise<void> {
    this.#closed = true;
    for (const pid of this.#leaders) send(this.#target(pid), "SIGTERM");
    const deadline = performance.now() + graceMs;
    while (this.#anyAlive() && performance.now() < deadline) await pause(20);
    for (const pid of this.#leaders) if (isAlive(this.#target(pid))) send(this.#target(pid), "SIGKILL");
    while (this.#anyAlive() && performance.now() < deadline + 5000) await pause(10);
    this.#leaders.clear();
    // Who escaped and still holds a pipe is not listened to any more.
    for (const child of this.#open) for (const stream of child.stdio) stream?.destroy();
  }

  /** What kill(2) takes for a leader: its group, or where it shares the program's own group the process alone. */
  #target(pid: number): number {
    return this.#options.foreground === true ? pid : -pid;
  }

  #anyAlive(): boolean {
    return [...this.#leaders].some((pid) => isAlive(this.#target(pid)));
  }
}

function environmentOf(options: SpawnOptions): NodeJS.ProcessEnv {
  return options.env ?? process.env;
}

/**
 * Holding the pipe of the output, a process that a command leaves behind would keep the reader waiting for as long as it
 * lives. The group is ended with its leader; who left the group is looked for where the output then does not end.
 */
function endWhatIsLeft(child: ChildProcess, target: number, mark: string | undefined): void {
  child.once("exit", () => {
    // A single process leaves nothing behind, and its id may have been reused.
    if (target < 0) send(target, "SIGKILL");
    if (mark === undefined) return;
    const timer = setTimeout(() => endOrphans(mark), outputGraceMs);
    child.once("close", () => clearTimeout(timer));
  });
}
