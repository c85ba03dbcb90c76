/**
 * Jobs on a Slurm cluster, each by one `srun`: outside of an allocation it makes one of its own, inside of one it is a step of it
 * (srun(1)). No file system is shared with the nodes; what a job needs is in the remote cache.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { Digest, Executor, JobEnd, JobRequest } from "../engine/index.ts";
import { systemReason, UserError } from "../errors/index.ts";
import { parseReport } from "./job-report.ts";
import { encodeStart, jobVariable, startScript } from "./job-start.ts";
import type { ServerLocation } from "./server.ts";

/** Milliseconds that a cancelled job has to end by itself, and `srun` to end it. */
const graceMs = 4000;
/** Lines of srun's own messages that are kept for an error. */
const linesKept = 5;

interface SlurmSettings {
  readonly location: ServerLocation;
  readonly capacity: number;
  /** Further options of srun, such as a partition. */
  readonly options: readonly string[];
  /** The user's environment; srun hands all of it to the job that is not left out here. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

export class SlurmExecutor implements Executor {
  readonly capacity: number;
  readonly #settings: SlurmSettings;

  constructor(settings: SlurmSettings) {
    this.#settings = settings;
    this.capacity = settings.capacity;
  }

  async submit(program: Digest, job: Digest, request: JobRequest): Promise<JobEnd> {
    const { location } = this.#settings;
    request.signal.throwIfAborted();
    const child = spawn("srun", [...this.#options(request), "node", "-e", startScript], {
      env: { ...this.#environment(), [jobVariable]: encodeStart({ location, program, job }) },
      // Its end ends the job, should this process be killed.
      stdio: ["pipe", "pipe", "pipe"],
      // Ctrl-C in a terminal reaches this process only, which then cancels the job.
      detached: true,
    });
    child.stdin.on("error", () => {});
    const started = new Promise<never>((_, reject) => child.once("error", reject));
    started.catch(() => undefined);
    try {
      return await Promise.race([this.#follow(child, request), started]);
    } catch (error) {
      request.signal.throwIfAborted();
      throw new UserError(`srun cannot be started: ${systemReason(error)}`, {
        code: "slurm-missing",
        hint: "install Slurm's client programs (Debian: slurm-client), or omit --executor",
      });
    }
  }

  #options({ cpus, memory, seconds, name }: JobRequest): readonly string[] {
    const isInside = (this.#settings.env.SLURM_JOB_ID ?? "") !== "";
    return [
      "--ntasks=1",
      "--nodes=1",
      `--cpus-per-task=${cpus}`,
      ...(memory === undefined ? [] : [`--mem=${Math.ceil(memory / 1024 ** 2)}M`]),
      ...(seconds === undefined ? [] : [`--time=${Math.ceil(seconds / 60) + 1}`]),
      `--job-name=razor-mk ${name}`,
      "--chdir=/",
      "--unbuffered",
      ...(isInside ? ["--exact"] : []),
      ...this.#settings.options,
    ];
  }

  /** What srun and the job may see: how to reach the cluster, where Node is, and nothing of this machine's directories. */
  #environment(): Record<string, string> {
    const kept = Object.entries(this.#settings.env).filter(([name]) =>
      /^(SLURM_.*|PATH|HOME|USER|LOGNAME|LD_LIBRARY_PATH)$/.test(name),
    );
    return { ...Object.fromEntries(kept.map(([name, value]) => [name, value ?? ""])), LC_ALL: "C" };
  }

  async #follow(child: ChildProcess, { signal, onOutput, onNote }: JobRequest): Promise<JobEnd> {
    const said: string[] = [];
    let jobId: string | undefined;
    let node: string | undefined;
    let end: JobEnd | undefined;
    const cancel = (): void => this.#cancel(child, jobId, node !== undefined);
    signal.addEventListener("abort", cancel, { once: true });
    const take = (line: string): void => {
      const report = parseReport(line);
      switch (report?.type) {
        case undefined:
          onOutput(`${line}\n`);
          break;
        case "started":
          node = report.node;
          break;
        case "output":
          onOutput(report.text);
          break;
        case "note":
          onNote(report.message);
          break;
        case "failed":
          end = { kind: "failed", node: report.node, failure: report.failure };
          break;
        case "declined":
          end = { kind: "declined", node: report.node, why: report.why };
          break;
        case "done":
          end = { kind: "done", node: report.node };
          break;
      }
    };
    const messages = (line: string): void => {
      // `srun: job 12 queued and waiting for resources`
      jobId ??= /^srun: [Jj]ob (?:allocation )?(\d+) /.exec(line)?.[1];
      said.push(line);
      if (said.length > linesKept) said.shift();
    };
    // What the job itself said tells more than its exit status.
    const reason = (): string | undefined =>
      (said.findLast((line) => !line.startsWith("srun: ")) ?? said.at(-1))?.replace(/^srun: (error: )?/, "");
    const closed = new Promise<number | null>((resolve) => child.once("close", resolve));
    if (child.stdout !== null) createInterface(child.stdout).on("line", take);
    if (child.stderr !== null) createInterface(child.stderr).on("line", messages);
    const status = await closed;
    signal.removeEventListener("abort", cancel);
    signal.throwIfAborted();
    if (end?.kind === "failed" || end?.kind === "declined" || (end?.kind === "done" && status === 0))
      return end;
    const why = reason() ?? `srun ended with status ${status}`;
    return { kind: "lost", ...(node === undefined ? {} : { node }), why };
  }

  /** A job that runs ends with its input, and tidies up; srun ends what waits or is still there at SIGTERM, and kills it. */
  #cancel(child: ChildProcess, jobId: string | undefined, isRunning: boolean): void {
    const isOwn = (this.#settings.env.SLURM_JOB_ID ?? "") === "";
    const end = (): void => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill("SIGTERM");
      if (jobId === undefined || !isOwn) return;
      const scancel = spawn("scancel", [jobId], { env: this.#environment(), stdio: "ignore" });
      scancel.on("error", () => {});
    };
    child.stdin?.end();
    if (!isRunning) end();
    setTimeout(end, graceMs).unref();
    setTimeout(() => child.kill("SIGKILL"), 2 * graceMs).unref();
  }
}
