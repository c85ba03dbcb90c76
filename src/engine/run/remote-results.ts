/** Results that other machines made, for the tasks of one build: found before a task runs, and offered when it has run. */
import { setMaxListeners } from "node:events";
import type { BoundTask, Graph } from "../bind/bound-task.ts";
import type { Assessment } from "../decide/assessment.ts";
import type { Decision } from "../decide/decision.ts";
import { rememberInputs } from "../decide/kept-inputs.ts";
import type { Reason } from "../decide/reason.ts";
import { resultKeyOf } from "../decide/result-key.ts";
import type { Digest, Fingerprint, TaskId } from "../define/names.ts";
import { encodeListing, type Listing } from "../files/listing.ts";
import type { BlobReference } from "../state/blob-file.ts";
import { isSound } from "../state/listing-rules.ts";
import type { RemoteCache, RemoteResult } from "../state/remote-cache.ts";
import type { Stamp } from "../state/stamp.ts";
import type { State } from "../state/state.ts";
import { pathFacts } from "./path-facts.ts";

/** A result of another machine. */
interface RemoteRestore {
  readonly decision: Extract<Decision, { kind: "restore" }>;
  /** Who made it, in that machine's own words. */
  readonly maker: string;
}

/** A look-up, and the download of what it found. */
interface Retrieval {
  readonly fingerprint: Fingerprint;
  readonly found: Promise<RemoteResult | undefined>;
  /** What was found, once it is known. */
  result?: RemoteResult;
  /** Whether all contents are in the store; undefined while nobody wants them. */
  isHere?: Promise<boolean>;
  /** Whether it was counted. */
  isTallied?: true;
}

export class RemoteResults {
  readonly #remote: RemoteCache;
  readonly #graph: Graph;
  readonly #state: State;
  readonly #stop = new AbortController();
  readonly #signal: AbortSignal;
  readonly #retrievals = new Map<TaskId, Retrieval>();

  /** The signal is the build's: what a task has begun is continued when it is done again. */
  constructor(remote: RemoteCache, graph: Graph, state: State, signal: AbortSignal) {
    this.#signal = AbortSignal.any([signal, this.#stop.signal]);
    // As many requests listen to it as there are contents on their way.
    setMaxListeners(0, this.#signal);
    this.#remote = remote;
    this.#graph = graph;
    this.#state = state;
  }

  /**
   * Looks the task up. Returns the outputs that it has elsewhere; undefined for a miss. The same call later continues what was
   * begun.
   */
  async lookUp(bound: BoundTask, assessment: Assessment): Promise<Listing | undefined> {
    return (await this.#retrieve(bound, assessment)?.found)?.outputs;
  }

  /** Forgets what was found for a task, or not: it was made meanwhile. */
  forget(id: TaskId): void {
    this.#retrievals.delete(id);
  }

  /** The parts of contents in the result that was found for a task. */
  joinedOf(id: TaskId): RemoteResult["joined"] {
    return this.#retrievals.get(id)?.result?.joined;
  }

  /** Begins to download what was found for a task; `priority` is higher for what is more urgent. */
  fetch(id: TaskId, priority: number): void {
    const retrieval = this.#retrievals.get(id);
    if (retrieval !== undefined) this.#fetch(retrieval, priority);
  }

  /** The result that another machine has for this task as it is now, with its contents; undefined for none. Rejects only for the signal. */
  async find(
    bound: BoundTask,
    assessment: Assessment,
    reasons: readonly Reason[],
    priority: number,
    signal: AbortSignal,
  ): Promise<RemoteRestore | undefined> {
    const known = await this.#record(bound, assessment, reasons, signal);
    const retrieval = this.#retrieve(bound, assessment);
    if (known === undefined || retrieval === undefined) return undefined;
    const isHere = await abortable(this.#fetch(retrieval, priority), signal);
    this.#tally(retrieval, isHere === true);
    return isHere === true ? known : undefined;
  }

  /** The same, without its contents. */
  async findRecord(
    bound: BoundTask,
    assessment: Assessment,
    reasons: readonly Reason[],
    signal: AbortSignal,
  ): Promise<RemoteRestore | undefined> {
    const record = await this.#record(bound, assessment, reasons, signal);
    const retrieval = this.#retrieve(bound, assessment);
    if (record !== undefined && retrieval !== undefined) this.#tally(retrieval, true);
    return record;
  }

  #tally(retrieval: Retrieval, isOfUse: boolean): void {
    if (retrieval.isTallied !== true) this.#remote.tally(isOfUse);
    retrieval.isTallied = true;
  }

  async #record(
    bound: BoundTask,
    assessment: Assessment,
    reasons: readonly Reason[],
    signal: AbortSignal,
  ): Promise<RemoteRestore | undefined> {
    const found = await abortable(this.#retrieve(bound, assessment)?.found, signal);
    if (found === undefined) return undefined;
    const facts = pathFacts(bound);
    const texts = await rememberInputs(assessment.inputs, this.#state);
    const stamp: Stamp = {
      fingerprint: assessment.fingerprint,
      parts: assessment.parts,
      outputs: encodeListing(found.outputs),
      seconds: found.seconds,
      ...(found.log === undefined ? {} : { log: found.log.digest }),
      ...(texts.length === 0 ? {} : { texts }),
      ...(facts.length === 0 ? {} : { facts }),
    };
    return {
      decision: { ...assessment, kind: "restore", stamp, outputs: found.outputs, reasons },
      maker: found.maker,
    };
  }

  /** What was begun for the task as it is now, or is begun by this; undefined where other machines have no part in it. */
  #retrieve(bound: BoundTask, assessment: Assessment): Retrieval | undefined {
    const key = resultKeyOf(bound, assessment.parts, this.#graph);
    if (key === undefined) return undefined;
    const begun = this.#retrievals.get(bound.id);
    if (begun?.fingerprint === assessment.fingerprint) return begun;
    const found = this.#remote
      .find(key, this.#signal)
      // Others wrote it, so it must also be one that this task can make.
      .then((result) => {
        if (result === undefined || isSound(result.outputs, bound.outputs)) return result;
        this.#remote.tally(false);
        return undefined;
      });
    // It may end by the signal before anybody waits for it.
    found.catch(() => undefined);
    const retrieval: Retrieval = { fingerprint: assessment.fingerprint, found };
    found.then(
      (result) => {
        if (result !== undefined) retrieval.result = result;
      },
      () => undefined,
    );
    this.#retrievals.set(bound.id, retrieval);
    return retrieval;
  }

  #fetch(retrieval: Retrieval, priority: number): Promise<boolean> {
    if (retrieval.isHere === undefined) {
      const isHere = retrieval.found.then(
        (result) => result !== undefined && this.#download(result, priority, this.#signal),
      );
      isHere.catch(() => undefined);
      retrieval.isHere = isHere;
    }
    return retrieval.isHere;
  }

  /** Brings the contents of a result into the store; of joined ones the parts that it lacks. */
  async #download(result: RemoteResult, priority: number, signal: AbortSignal): Promise<boolean> {
    const { store } = this.#state;
    const blobs: BlobReference[] = result.log === undefined ? [] : [result.log];
    const joined = new Map<Digest, readonly BlobReference[]>();
    for (const entry of result.outputs.values()) {
      if (entry.type !== "file" || store.has(entry.digest)) continue;
      const parts = result.joined?.get(entry.digest);
      if (parts !== undefined) joined.set(entry.digest, parts);
      blobs.push(...(parts ?? [entry]));
    }
    if (!(await this.#remote.download({ blobs, store, priority }, signal))) return false;
    for (const [whole, parts] of joined)
      store.putParts(
        whole,
        parts.map(({ digest }) => digest),
      );
    return true;
  }

  /** Gives up what was begun, and resolves when nothing of it is at work any more. */
  async end(): Promise<void> {
    this.#stop.abort(new Error("the build is over"));
    await Promise.allSettled([...this.#retrievals.values()].map(({ found, isHere }) => isHere ?? found));
  }

  /** Offers the result that the task has just had. */
  offer(bound: BoundTask, outputs: Listing): void {
    const stamp = this.#state.stamps.current(bound.id);
    // Without a stamp its inputs changed while it ran.
    const key = stamp === undefined ? undefined : resultKeyOf(bound, stamp.parts, this.#graph);
    if (stamp === undefined || key === undefined) return;
    const log = stamp.log === undefined ? undefined : this.#state.store.read(stamp.log);
    if (stamp.log !== undefined && log === undefined) return;
    const joined = new Map<Digest, readonly BlobReference[]>();
    for (const entry of outputs.values()) {
      const parts = entry.type === "file" ? this.#state.store.blobsOf(entry.digest) : undefined;
      if (entry.type === "file" && parts !== undefined) joined.set(entry.digest, parts);
    }
    const result = {
      outputs,
      ...(joined.size === 0 ? {} : { joined }),
      seconds: stamp.seconds,
      ...(stamp.log === undefined || log === undefined ? {} : { log: { digest: stamp.log, size: log.size } }),
    };
    this.#remote.offer(key, result, this.#state.store);
  }
}

/** What the promise resolves to, or the signal's reason as soon as it is aborted. */
async function abortable<T>(promise: Promise<T> | undefined, signal: AbortSignal): Promise<T | undefined> {
  signal.throwIfAborted();
  const over = new AbortController();
  const aborted = new Promise<never>((_, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason), { once: true, signal: over.signal });
  });
  return Promise.race([promise, aborted]).finally(() => over.abort());
}
