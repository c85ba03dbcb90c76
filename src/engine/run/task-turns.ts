/** The turn of each task: it is decided on, and then left alone, restored, run on another machine, or run here; and reported. */
import { isDeepStrictEqual } from "node:util";
import { UserError } from "../../errors/index.ts";
import { digestsOfNeeds, needsOf } from "../bind/adjacency.ts";
import type { BoundTask } from "../bind/bound-task.ts";
import type { Decision } from "../decide/decision.ts";
import type { Reason } from "../decide/reason.ts";
import type { TaskId } from "../define/names.ts";
import type { Listing } from "../files/listing.ts";
import { executionContext } from "./execution-context.ts";
import { restoreTask } from "./restoration.ts";
import type { RunContext } from "./run-context.ts";
import { failedEvent, freshEvent, restoredEvent, startedEvent } from "./task-events.ts";
import { runTask } from "./task-run.ts";
import { Turns } from "./turns.ts";

type Restorable = Extract<Decision, { kind: "restore" }>;

/** What a task needs could not be made; that was reported. */
class NeedFailure extends Error {
  override readonly name = "NeedFailure";
  readonly need: TaskId;

  constructor(need: TaskId) {
    super(`${need} failed`);
    this.need = need;
  }
}

/** One attempt at a task. */
interface Turn {
  readonly bound: BoundTask;
  readonly signal: AbortSignal;
  /** Whether its outputs are not wanted yet. */
  readonly mayDefer: boolean;
  /** Seconds since it began. */
  readonly seconds: () => number;
}

export class TaskTurns {
  readonly #run: RunContext;
  /** Pools in which a failure of a kind that is reported all at once has happened. */
  readonly #collecting = new Set<string>();
  /** Tasks whose code threw after they were done. */
  readonly #late = new Set<TaskId>();
  readonly #arrivals = new Map<TaskId, Promise<void>>();
  /** For tasks that a cluster gave back: they have no place among those that run here. */
  readonly #returned: Turns;

  constructor(run: RunContext) {
    this.#run = run;
    this.#returned = new Turns(run.jobs);
  }

  /** Whether failures of a pool are collected: its other tasks start all the same. */
  isCollecting(pool: string): boolean {
    return this.#collecting.has(pool);
  }

  /** Whether a task failed after it was done. */
  get hasFailedLate(): boolean {
    return this.#late.size > 0;
  }

  /** Brings a task up to date whose needs are; false when it failed or was ended. Never rejects. */
  async take(id: TaskId): Promise<boolean> {
    const { request, workspace, prefetches, cancellation, deferred, made } = this.#run;
    const bound = this.#run.get(id);
    const signal = cancellation?.begin(id, request.signal) ?? request.signal;
    const turn = this.#begin(bound, signal, deferred.mayDefer(bound));
    try {
      await prefetches.over(id);
      const outputs = await this.#settle(turn);
      if (outputs === undefined) return false;
      made.set(id, outputs);
      if (this.#late.has(id)) this.#forget(id);
      return true;
    } catch (error) {
      this.#reportFailure(turn, error);
      return false;
    } finally {
      // What is ended because its inputs changed is done again: it neither failed nor succeeded.
      if (signal.aborted && !request.signal.aborted) request.onEvent({ type: "task-outdated", task: id });
      cancellation?.end(id);
      workspace.state.fileLog.spill();
    }
  }

  #begin(bound: BoundTask, signal: AbortSignal, mayDefer: boolean): Turn {
    const startedAt = performance.now();
    return { bound, signal, mayDefer, seconds: () => (performance.now() - startedAt) / 1000 };
  }

  /** Decides on the task and does what is decided; undefined when the signal ended that. */
  async #settle(turn: Turn): Promise<Listing | undefined> {
    const { request, seen } = this.#run;
    for (;;) {
      const decision = await this.#run.decide(turn.bound);
      if (request.watcher !== undefined) seen.set(turn.bound.id, decision.inputs);
      if (turn.signal.aborted) return undefined;
      const outputs = await this.#carryOut(turn, decision);
      if (outputs !== undefined) return outputs;
    }
  }

  /** The task's outputs; undefined when it has to be decided on again, since what it needs became something else. */
  async #carryOut(turn: Turn, decision: Decision): Promise<Listing | undefined> {
    const { bound, signal, mayDefer } = turn;
    const { state } = this.#run.workspace;
    const { deferred, remote } = this.#run;
    const emit = this.#run.request.onEvent;
    if (mayDefer && decision.kind !== "fresh" && !this.#run.mustRun(bound)) {
      const known = deferred.known(bound, decision.fingerprint);
      if (known !== undefined) deferred.keep(bound.id, known);
      if (known !== undefined) return known.outputs;
    }
    let reasons: readonly Reason[] = [];
    switch (decision.kind) {
      case "fresh":
        if (state.stamps.currentFingerprint(bound.id) !== decision.fingerprint)
          state.stamps.record(bound.id, decision.stamp, state.clock.now());
        // A deferred result was reported when it was found.
        if (!deferred.isTold(bound.id)) emit(freshEvent(bound, decision.stamp));
        return decision.outputs;
      case "restore":
        reasons = decision.reasons;
        if (await this.#restore(turn, decision)) return decision.outputs;
        reasons = [...reasons, { kind: "store-damaged" }];
        break;
      case "run": {
        reasons = decision.reasons;
        if (this.#run.mustRun(bound)) break;
        const priority = this.#run.priorityOf(bound.id);
        const found = mayDefer
          ? await remote?.findRecord(bound, decision, reasons, signal)
          : await remote?.find(bound, decision, reasons, priority, signal);
        if (found === undefined) break;
        if (mayDefer) {
          deferred.defer(bound.id, found.decision.stamp);
          emit(restoredEvent(bound, found.decision, turn.seconds(), found.maker));
          return found.decision.outputs;
        }
        if (await this.#restore(turn, found.decision, found.maker)) return found.decision.outputs;
        break;
      }
    }
    if (this.#run.elsewhere?.wants(bound) !== true || this.#run.isAudited)
      return await this.#runHere(turn, decision, reasons);
    const outputs = await this.#runElsewhere(turn, decision, reasons);
    if (outputs !== undefined) return outputs;
    return await this.#returned.take(this.#run.priorityOf(bound.id), signal, () =>
      this.#runHere(turn, decision, reasons),
    );
  }

  /** Brings a result back and reports it; false where the store turned out to be damaged. */
  async #restore(turn: Turn, decision: Restorable, maker?: string): Promise<boolean> {
    const { workspace, request, stagingAreas, deferred } = this.#run;
    const { state } = workspace;
    if (!(await restoreTask(turn.bound, decision, { state, stagingAreas }))) return false;
    // A deferred result was reported when it was found.
    if (!deferred.isTold(turn.bound.id))
      request.onEvent(restoredEvent(turn.bound, decision, turn.seconds(), maker));
    return true;
  }

  /** Undefined where the task has to run here: no other machine runs it, or its result cannot be had. */
  async #runElsewhere(
    turn: Turn,
    decision: Decision,
    reasons: readonly Reason[],
  ): Promise<Listing | undefined> {
    const { bound, signal, mayDefer } = turn;
    const { elsewhere, remote, deferred, stagingAreas } = this.#run;
    const { state } = this.#run.workspace;
    const emit = this.#run.request.onEvent;
    this.#reportStarted(bound, reasons);
    const node = await elsewhere?.run(bound, decision, {
      signal,
      onOutput: (text) => emit({ type: "task-output", task: bound.id, text }),
      onNote: (message) => emit({ type: "note", task: bound.id, message }),
    });
    if (node === undefined) return undefined;
    const priority = this.#run.priorityOf(bound.id);
    const found = mayDefer
      ? await remote?.findRecord(bound, decision, reasons, signal)
      : await remote?.find(bound, decision, reasons, priority, signal);
    if (found === undefined) return undefined;
    if (mayDefer) deferred.defer(bound.id, found.decision.stamp);
    else if (!(await restoreTask(bound, found.decision, { state, stagingAreas }))) return undefined;
    emit({ type: "task-done", task: bound.id, reasons, seconds: turn.seconds(), node });
    return found.decision.outputs;
  }

  async #runHere(turn: Turn, decision: Decision, reasons: readonly Reason[]): Promise<Listing | undefined> {
    const { bound, signal } = turn;
    const { dependents, prefetches, remote, stagingAreas, request } = this.#run;
    if (!(await this.#haveNeedsHere(turn))) return undefined;
    this.#reportStarted(bound, reasons);
    stagingAreas.prepare();
    for (const other of dependents.get(bound.id) ?? []) {
      this.#run.workspace.state.concatenator.anticipate(stagingAreas.of(other).directory);
      prefetches.begin(other, this.#contextOf(other, request.signal));
    }
    const outputs = await runTask(bound, decision, this.#contextOf(bound, signal));
    remote?.offer(bound, outputs);
    request.onEvent({ type: "task-done", task: bound.id, reasons, seconds: turn.seconds() });
    return outputs;
  }

  /** Brings what the task needs and what was deferred here; false when that is something else than was decided on. */
  async #haveNeedsHere({ bound, signal }: Turn): Promise<boolean> {
    const { deferred, made, remote } = this.#run;
    const awaited = needsOf(bound).filter((need) => deferred.has(need));
    if (awaited.length === 0) return true;
    const before = digestsOfNeeds(bound, made);
    for (const need of awaited) remote?.fetch(need, this.#run.priorityOf(need));
    await Promise.all(awaited.map((need) => this.#bringHere(need)));
    signal.throwIfAborted();
    return isDeepStrictEqual(before, digestsOfNeeds(bound, made));
  }

  /** Brings the outputs of a deferred result here, or makes them. Rejects with `NeedFailure`, after the failure was reported. */
  #bringHere(id: TaskId): Promise<void> {
    const { request, deferred, made } = this.#run;
    const turn = this.#begin(this.#run.get(id), request.signal, false);
    const arrive = async (): Promise<void> => {
      try {
        const outputs = await this.#settle(turn);
        request.signal.throwIfAborted();
        if (outputs !== undefined) made.set(id, outputs);
        deferred.settle(id);
      } catch (error) {
        this.#reportFailure(turn, error);
        throw new NeedFailure(id);
      }
    };
    const arrival = this.#arrivals.get(id) ?? arrive();
    this.#arrivals.set(id, arrival);
    return arrival;
  }

  #contextOf(bound: BoundTask, signal: AbortSignal) {
    return executionContext(this.#run, bound, signal, (error) => this.#failLate(bound.id, error));
  }

  #failLate(id: TaskId, error: unknown): void {
    this.#late.add(id);
    this.#forget(id);
    this.#run.request.onEvent({ type: "task-failed", task: id, error, output: "", seconds: 0 });
  }

  /** Drops the task's result and keeps its outputs on disk. */
  #forget(id: TaskId): void {
    const { stamps } = this.#run.workspace.state;
    const fingerprint = stamps.currentFingerprint(id);
    if (fingerprint !== undefined) stamps.forget(fingerprint);
    stamps.drop(id);
  }

  #reportStarted(bound: BoundTask, reasons: readonly Reason[]): void {
    const { stamps } = this.#run.workspace.state;
    this.#run.request.onEvent(startedEvent(bound, reasons, stamps.last(bound.id)?.seconds));
  }

  /** Not of what was ended: that is done again, or the whole build was ended. */
  #reportFailure({ bound, signal, seconds }: Turn, error: unknown): void {
    const emit = this.#run.request.onEvent;
    if (error instanceof NeedFailure) {
      emit({ type: "task-skipped", task: bound.id, because: error.need });
      return;
    }
    if (signal.aborted) return;
    const failed = failedEvent(bound, error, seconds(), this.#run.workspace.state.workspace);
    if (failed.error instanceof UserError && failed.error.isCollected) this.#collecting.add(bound.task.pool);
    emit(failed);
  }
}
