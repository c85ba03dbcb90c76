/** Tasks of one build on other machines: described, submitted, and found in the remote cache when they are done. */
import path from "node:path";
import { UserError } from "../../errors/index.ts";
import type { BoundTask, Graph } from "../bind/bound-task.ts";
import type { Assessment } from "../decide/assessment.ts";
import type { Digest, TaskId } from "../define/names.ts";
import type { Listing } from "../files/listing.ts";
import type { BlobReference } from "../state/blob-file.ts";
import type { RemoteCache } from "../state/remote-cache.ts";
import type { State } from "../state/state.ts";
import type { Executor, JobEnd } from "./executor.ts";
import { describeJob, mayRunElsewhere } from "./job.ts";
import type { RemoteResults } from "./remote-results.ts";
import { TaskFailure } from "./task-run.ts";

/** Seconds: what took less the last time is not worth a job. */
const worthAJob = 1;
/** A job whose end nobody knows is submitted once more. */
const mostAttempts = 2;

interface RemoteExecutionContext {
  readonly executor: Executor;
  /** The compiled program for other machines; computed when it is first needed. */
  readonly program: () => Promise<Uint8Array>;
  readonly remote: RemoteCache;
  readonly results: RemoteResults;
  readonly graph: Graph;
  readonly state: State;
  readonly made: ReadonlyMap<TaskId, Listing>;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly outputLimit: number;
}

interface Listener {
  readonly signal: AbortSignal;
  readonly onOutput: (text: string) => void;
  readonly onNote: (message: string) => void;
}

export class RemoteExecution {
  readonly #context: RemoteExecutionContext;
  #program: Promise<BlobReference> | undefined;

  constructor(context: RemoteExecutionContext) {
    this.#context = context;
  }

  get capacity(): number {
    return this.#context.executor.capacity;
  }

  /** Whether the task is to run elsewhere, as far as can be told before its turn. */
  wants(bound: BoundTask): boolean {
    const seconds = this.#context.state.stamps.last(bound.id)?.seconds;
    return mayRunElsewhere(bound) && (seconds === undefined || seconds >= worthAJob);
  }

  /**
   * Runs the task elsewhere; its result is in the remote cache then. Returns the machine that ran it; undefined where it has to run
   * here. Throws `TaskFailure` where it failed, and the signal's reason.
   */
  async run(bound: BoundTask, assessment: Assessment, listener: Listener): Promise<string | undefined> {
    const { executor, results } = this.#context;
    const prepared = await this.#prepare(bound, assessment);
    listener.signal.throwIfAborted();
    if (prepared === undefined) return undefined;
    let output = "";
    let why = "";
    for (let attempt = 1; attempt <= mostAttempts; attempt += 1) {
      const end: JobEnd = await executor.submit(prepared.program, prepared.job, {
        cpus: 1,
        ...(bound.task.timeout === undefined ? {} : { seconds: bound.task.timeout }),
        name: bound.id,
        signal: listener.signal,
        onOutput: (text) => {
          output += text;
          listener.onOutput(text);
        },
        onNote: listener.onNote,
      });
      listener.signal.throwIfAborted();
      if (end.kind === "declined") {
        listener.onNote(`${end.node} cannot run ${bound.task.name} (${end.why}): the task runs here`);
        return undefined;
      }
      if (end.kind === "failed") throw new TaskFailure(failureOf(bound, end), output);
      // Whatever became of the job, its result counts, and nothing else does.
      results.forget(bound.id);
      if ((await results.lookUp(bound, assessment)) !== undefined) return end.node ?? "another machine";
      why = end.kind === "lost" ? end.why : "its result is not in the remote cache";
      if (attempt < mostAttempts)
        listener.onNote(`the job of ${bound.task.name} was lost (${why}): it is submitted again`);
    }
    listener.onNote(`the job of ${bound.task.name} was lost again (${why}): the task runs here`);
    return undefined;
  }

  async #prepare(
    bound: BoundTask,
    assessment: Assessment,
  ): Promise<{ readonly program: Digest; readonly job: Digest } | undefined> {
    const { state, remote, results } = this.#context;
    const joinedOf = (id: TaskId): ReadonlyMap<Digest, readonly BlobReference[]> | undefined =>
      results.joinedOf(id);
    const described = await describeJob(bound, assessment, { ...this.#context, joinedOf });
    if (described === undefined) return undefined;
    const { store } = state;
    for (const [name, { digest, size }] of described.files)
      await store.putFile(path.join(state.workspace, name), digest, size);
    const text = JSON.stringify(described.job);
    const job: BlobReference = { digest: store.putText(text), size: Buffer.byteLength(text) };
    this.#program ??= this.#storeProgram();
    const program = await this.#program;
    const contents = [...described.files.values(), ...described.contents, program, job];
    const areThere = await remote.provide(contents, store);
    return areThere ? { program: program.digest, job: job.digest } : undefined;
  }

  async #storeProgram(): Promise<BlobReference> {
    const text = Buffer.from(await this.#context.program()).toString("utf8");
    return { digest: this.#context.state.store.putText(text), size: Buffer.byteLength(text) };
  }
}

function failureOf(bound: BoundTask, { node, failure }: Extract<JobEnd, { kind: "failed" }>): UserError {
  const { message, where, hint } = failure;
  return new UserError(`${bound.task.name} failed on ${node}: ${message}`, {
    code: "job-failed",
    ...(where === undefined ? {} : { where }),
    hint: hint ?? "its output is above",
  });
}
