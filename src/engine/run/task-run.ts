/**
 * One task at work: staged, run, checked, stored, put in place, stamped. In that order, so that at every moment a
 * crash leaves either the old outputs or the new ones, and no stamp that is not true.
 */

import { ProcessGroups } from "../../host/index.ts";
import type { BoundTask } from "../bind/bound-task.ts";
import type { Assessment } from "../decide/assessment.ts";
import { reassess } from "../decide/assessment.ts";
import { InputRecheck } from "../decide/input-recheck.ts";
import { rememberInputs } from "../decide/kept-inputs.ts";
import type { Digest } from "../define/names.ts";
import { absolutePath } from "../define/names.ts";
import { encodeListing, type Listing } from "../files/listing.ts";
import { handOver, listOutputs, placesOf, storeOutputs } from "../state/output.ts";
import type { Stamp } from "../state/stamp.ts";
import { attempt } from "./attempts.ts";
import { Audit } from "./audit.ts";
import { auditedContext } from "./audited-context.ts";
import { Capture } from "./capture.ts";
import { AccessRecord } from "./code-access.ts";
import { KeptOutput } from "./kept-output.ts";
import { pathFacts } from "./path-facts.ts";
import { refuseEscape } from "./placement.ts";
import { checkStaged, makePlaces, placeIn, placeOutputs, refuseEscapingLink } from "./staged-outputs.ts";
import { holdsSecret } from "./staging.ts";
import { explainSystemError } from "./system-failure.ts";
import { type ExecutionContext, shellFor, taskContext } from "./task-context.ts";
import { listed, undeclaredAccess, type Witnesses } from "./undeclared-access.ts";

/** A task that failed, with all that its commands and its log had printed. */
export class TaskFailure extends Error {
  override readonly name = "TaskFailure";
  readonly output: string;

  constructor(cause: unknown, output: string) {
    super("the task failed", { cause });
    this.output = output;
  }
}

/** Runs the task and returns the listing of its outputs. Throws `TaskFailure`. */
export async function runTask(
  bound: BoundTask,
  decision: Assessment,
  context: ExecutionContext,
): Promise<Listing> {
  const { state } = context;
  const startedAt = performance.now();
  const area = context.stagingAreas.of(bound);
  const { directory } = area;
  const capture = new Capture(bound, context.onOutput, new KeptOutput(context.outputLimit, area.printed));
  const stop = new AbortController();
  const { codeAccesses } = context;
  const witnesses: Witnesses | undefined =
    codeAccesses === undefined ? undefined : { commands: new Audit(directory), code: new AccessRecord() };
  const owner = {
    name: bound.task.name,
    print: (text: string) => capture.add(text),
    onLateError: (error: unknown) =>
      context.onLateError(capture.cleanError(explainSystemError(error, state.workspace))),
  };
  let attempts = 0;
  /** Calls the task's function; its outputs are in the staging directory afterwards, and none of its processes is left. */
  const callFunction = async (given: AbortSignal) => {
    const signal = AbortSignal.any([given, stop.signal]);
    const groups = new ProcessGroups({
      listener: {
        started: (pid, command) => context.onProcess({ pid, command: capture.clean(command) }),
        ended: (pid) => context.onProcess({ pid }),
      },
      mark: directory,
      foreground: bound.task.interactive,
      ...(witnesses === undefined ? {} : { wrap: witnesses.commands.wrap }),
    });
    const end = (): void => void groups.terminate();
    const kill = (): void => groups.kill();
    given.addEventListener("abort", end, { once: true });
    context.hurry?.addEventListener("abort", kill, { once: true });
    try {
      if (++attempts > 1) context.stagingAreas.empty(area);
      const places = makePlaces(bound, area);
      const inputRecheck = InputRecheck.prepare(bound, decision, state);
      const $ = await shellFor(bound, context, groups, capture, directory);
      given.throwIfAborted();
      const handed = taskContext(bound, decision, places, $, directory, capture, { ...context, signal });
      await context.running.run(owner, { ...context, signal: given }, () => {
        if (codeAccesses === undefined || witnesses === undefined) return bound.task.run(handed);
        const { code } = witnesses;
        return codeAccesses.inside(code, () => bound.task.run(auditedContext(handed, codeAccesses, code)));
      });
      given.throwIfAborted();
      // A task that left a process behind is not finished: its outputs could still change.
      await groups.terminate(0);
      return { places, inputRecheck };
    } finally {
      given.removeEventListener("abort", end);
      context.hurry?.removeEventListener("abort", kill);
      await groups.terminate();
    }
  };
  try {
    for (const output of bound.outputs) refuseEscape(output, state.workspace);
    // From here on the outputs on disk are nobody's: a crash must find no stamp for them.
    state.stamps.drop(bound.id);
    await context.stagingAreas.open(area);
    const { places, inputRecheck } = await attempt(bound.task, {
      signal: context.signal,
      once: callFunction,
      onRetry: (message) => context.onNote(capture.clean(message)),
    });
    capture.end();

    if (witnesses !== undefined) {
      const undeclared = await undeclaredAccess(witnesses, bound, decision, directory, context);
      if (undeclared !== undefined) context.onNote(`${bound.task.name}: ${capture.clean(undeclared)}`);
    }
    const unlinked = checkStaged(bound, area, places, state);
    const outputs = await listOutputs(places, state.files);
    refuseEscapingLink(outputs, bound);
    const { moved, touched, inputs } = await inputRecheck.take(context.needed, unlinked);
    const { fingerprint, parts } = reassess(decision, inputs);
    let texts: readonly Digest[] = [];
    const sources = context.movedSources();
    const disturbed = [...moved, ...touched, ...sources];
    if (disturbed.length === 0) {
      if (bound.task.cached)
        await storeOutputs(bound.outputs, places, outputs, state.store, state.concatenator);
      texts = await rememberInputs(inputs, state);
    }
    await placeOutputs(bound, places, area.replaced, state);
    handOver(places, placesOf(bound.outputs), outputs, state);
    if (disturbed.length > 0) {
      context.onMoved(disturbed, moved.length + sources.length > 0);
      context.onNote(
        `${listed(disturbed)} changed while ${bound.task.name} ran: its outputs are kept, and the next build makes them again`,
      );
    } else {
      const access = holdsSecret(bound) ? "private" : "public";
      const log = capture.text === "" ? undefined : state.store.putText(capture.text, undefined, access);
      const facts = pathFacts(bound);
      const stamp: Stamp = {
        fingerprint,
        parts,
        outputs: encodeListing(outputs),
        seconds: Number(((performance.now() - startedAt) / 1000).toFixed(3)),
        ...(log === undefined ? {} : { log }),
        ...(texts.length === 0 ? {} : { texts }),
        ...(facts.length === 0 ? {} : { facts }),
      };
      state.stamps.record(bound.id, stamp, state.clock.now());
      context.onSettled(inputs);
    }
    return outputs;
  } catch (error) {
    // Code that still runs after the failure gets the signal to stop.
    stop.abort(error);
    capture.end();
    state.files.forgetBelow(absolutePath(directory));
    throw new TaskFailure(
      capture.cleanError(explainSystemError(error, state.workspace, placeIn(bound, area))),
      capture.text,
    );
  } finally {
    capture.close();
    context.stagingAreas.leave(area);
    state.concatenator.forgetBelow(directory);
  }
}
