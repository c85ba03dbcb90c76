/**
 * One task at work: staged, run, checked, stored, put in place, stamped. In that order, so that at every moment a
 * crash leaves either the old outputs or the new ones, and no stamp that is not true.
 */
import { lstat, mkdir, readdir, rm } from "node:fs/promises";
import path from "node:path";
import { systemErrorCode, UserError } from "../errors/index.ts";
import { createShell, ProcessGroups, type Shell } from "../host/index.ts";
import type { Assessment, Decision } from "./decision.ts";
import { movedInputs, reassess, rememberInputs, resolveInputs } from "./decision.ts";
import type { BoundTask } from "./graph.ts";
import { displayPath, type ResolvedInput } from "./input.ts";
import { digestOfListing, encodeListing, type Listing } from "./listing.ts";
import type { AbsolutePath, Digest, TaskId } from "./names.ts";
import {
  listOutputs,
  normalizeModes,
  type OutputPlaces,
  placeOutput,
  placesOf,
  storeOutputs,
  unstoreOutputs,
} from "./output.ts";
import { Secret } from "./parameter.ts";
import type { Stamp } from "./stamp.ts";
import type { State } from "./state.ts";
import type { AnyTaskContext, BlobAccess, FileSet, Progress } from "./task.ts";

export interface ExecutionContext {
  readonly state: State;
  readonly variant: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
  /** Where the outputs of the tasks that this one needs are. */
  readonly outputsOf: (id: TaskId) => OutputPlaces;
  readonly onProgress: (progress: Progress) => void;
  readonly onOutput: (text: string) => void;
  readonly onNote: (message: string) => void;
}

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
  const folder = path.join(state.temporaryRoot, `${bound.id.replaceAll("/", "_")}-${process.pid}`);
  const staging = path.join(folder, "outputs");
  const groups = new ProcessGroups();
  const capture = new Capture(bound, context.onOutput);
  const end = (): void => void groups.terminate();
  context.signal.addEventListener("abort", end, { once: true });
  try {
    // From here on the outputs on disk are nobody's: a crash must find no stamp for them.
    state.stamps.drop(bound.id);
    const places = await stage(bound, staging);
    await mkdir(path.join(folder, "scratch"), { recursive: true });
    const $ =
      bound.task.tools.length === 0
        ? noShell(bound)
        : await shellFor(bound, context, groups, capture, folder);
    context.signal.throwIfAborted();
    await bound.task.run(taskContext(bound, decision.inputs, places, $, folder, capture, context));
    context.signal.throwIfAborted();
    // A task that left a process behind is not finished: its outputs could still change.
    await groups.terminate(0);

    await checkStaged(bound, staging, places);
    const outputs = await listOutputs(places, state.files);
    const { moved, inputs } = await lookAgain(decision.inputs, bound, state);
    const { fingerprint, parts } = reassess(decision, inputs);
    let texts: readonly Digest[] = [];
    if (moved.length === 0) {
      await storeOutputs(places, outputs, state.store);
      texts = await rememberInputs(inputs, state);
    }
    await placeAll(bound, places, path.join(folder, "replaced"), state);
    if (moved.length > 0) {
      context.onNote(
        `${moved.join(", ")} changed while ${bound.task.name} ran: what it made is kept, and made again next time`,
      );
    } else {
      const log = capture.text === "" ? undefined : await state.store.putText(capture.text);
      const stamp: Stamp = {
        fingerprint,
        parts,
        outputs: encodeListing(outputs),
        seconds: Number(((performance.now() - startedAt) / 1000).toFixed(3)),
        ...(log === undefined ? {} : { log }),
        ...(texts.length === 0 ? {} : { texts }),
      };
      state.stamps.record(bound.id, stamp, state.clock.now());
    }
    return outputs;
  } catch (error) {
    throw new TaskFailure(explainSystemError(error, state.workspace), capture.text);
  } finally {
    context.signal.removeEventListener("abort", end);
    await groups.terminate();
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * Brings the outputs of an earlier run back. Returns false when the store turned out to be damaged; then nothing was
 * changed and the task has to run.
 */
export async function restoreTask(
  bound: BoundTask,
  decision: Extract<Decision, { kind: "restore" }>,
  state: State,
): Promise<boolean> {
  const folder = path.join(state.temporaryRoot, `${bound.id.replaceAll("/", "_")}-${process.pid}`);
  const staging = path.join(folder, "outputs");
  try {
    await mkdir(staging, { recursive: true });
    const places = stagedPlaces(bound, staging);
    if (!(await unstoreOutputs(places, decision.outputs, state.store))) return false;
    state.stamps.drop(bound.id);
    await placeAll(bound, places, path.join(folder, "replaced"), state);
    state.stamps.record(bound.id, decision.stamp, state.clock.now());
    return true;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Digest of a task's outputs: what its dependents see of it. */
export function digestOfOutputs(outputs: Listing): Digest {
  return digestOfListing(outputs);
}

function stagedPlaces(bound: BoundTask, staging: string): OutputPlaces {
  return new Map(
    bound.outputs.map((output) => [output.slot, path.join(staging, output.slot) as AbsolutePath]),
  );
}

async function stage(bound: BoundTask, staging: string): Promise<OutputPlaces> {
  await rm(staging, { recursive: true, force: true });
  await mkdir(staging, { recursive: true });
  const places = stagedPlaces(bound, staging);
  for (const output of bound.outputs) {
    if (output.kind === "directory") await mkdir(path.join(staging, output.slot));
  }
  return places;
}

async function shellFor(
  bound: BoundTask,
  context: ExecutionContext,
  groups: ProcessGroups,
  capture: Capture,
  folder: string,
): Promise<Shell> {
  return createShell({
    cwd: path.join(folder, "scratch"),
    env: declaredEnv(bound, context),
    groups,
    onOutput: (text) => capture.add(text),
  });
}

function declaredEnv(bound: BoundTask, context: ExecutionContext): Record<string, string> {
  const env: Record<string, string> = {};
  for (const name of [...bound.task.env, ...bound.task.passEnv]) {
    const value = context.env[name];
    if (value !== undefined) env[name] = value;
  }
  return env;
}

/** A task that declares no tools runs no commands: anything else would be an undeclared input. */
function noShell(bound: BoundTask): Shell {
  return (() => {
    throw new Error(`the task ${bound.task.name} runs a command, but declares no tools`);
  }) as unknown as Shell;
}

function taskContext(
  bound: BoundTask,
  inputs: readonly ResolvedInput[],
  places: OutputPlaces,
  $: Shell,
  folder: string,
  capture: Capture,
  context: ExecutionContext,
): AnyTaskContext {
  const needs = [...bound.needs].map(([name, id]) => [
    name,
    id === undefined ? undefined : Object.fromEntries(context.outputsOf(id)),
  ]);
  const inputValues = inputs.map((input): [string, string | FileSet] => [
    input.name,
    input.declaration.kind === "file" ? input.root : { root: input.root, paths: input.paths },
  ]);
  // The definition's own types describe these records; see `task`.
  return {
    needs: Object.fromEntries(needs),
    inputs: Object.fromEntries(inputValues),
    params: Object.fromEntries(bound.values),
    outputs: Object.fromEntries(places),
    variant: context.variant,
    $,
    log: (message: string) => capture.add(`${message}\n`),
    note: context.onNote,
    progress: context.onProgress,
    signal: context.signal,
    env: declaredEnv(bound, context),
    scratch: path.join(folder, "scratch"),
    blobs: blobAccess(context.state),
  } as unknown as AnyTaskContext;
}

function blobAccess(state: State): BlobAccess {
  return {
    has: (sha256) => state.store.has(sha256 as Digest),
    pathOf: (sha256) => state.store.pathOf(sha256 as Digest),
    adopt: (file, sha256) => state.store.adopt(file, sha256 as Digest),
  };
}

async function checkStaged(bound: BoundTask, staging: string, places: OutputPlaces): Promise<void> {
  for (const name of await readdir(staging)) {
    if (!places.has(name)) {
      throw new UserError(`${bound.task.name} wrote ${name}, which is none of its outputs`, {
        code: "output-undeclared",
        hint: "write intermediate files to the scratch folder, or declare the output",
      });
    }
  }
  for (const output of bound.outputs) {
    const staged = path.join(staging, output.slot);
    const status = await lstat(staged).catch(() => undefined);
    const right = output.kind === "directory" ? status?.isDirectory() : status?.isFile();
    if (right !== true) {
      throw new UserError(`${bound.task.name} did not make its output "${output.slot}" (a ${output.kind})`, {
        code: "output-not-made",
        hint: "the task's run function must write every declared output",
      });
    }
    await normalizeModes(staged);
  }
}

/** The inputs as they are after the run, and the paths of those that changed although the task does not own them. */
async function lookAgain(before: readonly ResolvedInput[], bound: BoundTask, state: State) {
  for (const input of before) {
    state.files.forget(input.root);
    for (const relative of input.paths) state.files.forget(path.join(input.root, relative) as AbsolutePath);
  }
  try {
    const inputs = await resolveInputs(bound, state);
    return { moved: movedInputs(before, inputs), inputs };
  } catch (error) {
    if (error instanceof UserError) return { moved: [error.where ?? error.message], inputs: before };
    throw error;
  }
}

async function placeAll(bound: BoundTask, staged: OutputPlaces, trash: string, state: State): Promise<void> {
  for (const output of bound.outputs) {
    const from = staged.get(output.slot);
    if (from !== undefined) await placeOutput(from, output, trash);
  }
  for (const place of [...staged.values(), ...placesOf(bound.outputs).values()])
    state.files.forgetBelow(place);
}

/** What a full or read-only disk means for the user, instead of a system call's name. */
function explainSystemError(error: unknown, workspace: string): unknown {
  const code = systemErrorCode(error);
  const target =
    error instanceof Error && "path" in error && typeof error.path === "string" ? error.path : undefined;
  const where = target === undefined ? {} : { where: displayPath(workspace, target) };
  if (code === "ENOSPC") {
    return new UserError("no space left on the device", {
      code: "no-space",
      ...where,
      hint: "free some space (`task clean --all` empties the cache), and start again: what was built is kept",
      cause: error,
    });
  }
  if (code === "EROFS" || code === "EACCES") {
    return new UserError(
      `a file cannot be written (${code === "EROFS" ? "read-only file system" : "permission denied"})`,
      {
        code: "not-writable",
        ...where,
        hint: "check the owner and the mode of the folder",
        cause: error,
      },
    );
  }
  return error;
}

/** Collects what a task prints, without its secrets. */
class Capture {
  readonly #secrets: readonly string[];
  readonly #onOutput: (text: string) => void;
  text = "";

  constructor(bound: BoundTask, onOutput: (text: string) => void) {
    this.#onOutput = onOutput;
    this.#secrets = [...bound.values.values()].flatMap((value) => {
      const text = value instanceof Secret ? value.reveal() : "";
      return text === "" ? [] : [text];
    });
  }

  add(text: string): void {
    let clean = text;
    for (const secret of this.#secrets) clean = clean.replaceAll(secret, "***");
    this.text += clean;
    this.#onOutput(clean);
  }
}
