/**
 * A job at work on the machine that runs it: inputs and needs brought from the remote cache into an empty workspace, the task
 * assessed, compared with what the other machine found, and run; the result goes into the remote cache.
 */
import { mkdirSync, symlinkSync } from "node:fs";
import path from "node:path";
import { UserError } from "../../errors/index.ts";
import { digestsOfNeeds } from "../bind/adjacency.ts";
import type { BoundOutput, BoundTask } from "../bind/bound-task.ts";
import { assess } from "../decide/assessment.ts";
import { resultKeyOf } from "../decide/result-key.ts";
import type { Task } from "../define/declared-task.ts";
import { isBelow, resolveIn, type TaskId } from "../define/names.ts";
import { neededTask, tasksOf } from "../define/need.ts";
import { Shared } from "../define/shared.ts";
import { decodeListing, type ListedEntry, type Listing } from "../files/listing.ts";
import type { BlobReference } from "../state/blob-file.ts";
import { isSound } from "../state/listing-rules.ts";
import { placesOf, recordWrittenOutputs, unstoreOutputs } from "../state/output.ts";
import type { RemoteCache } from "../state/remote-cache.ts";
import type { Part } from "../state/stamp.ts";
import type { State } from "../state/state.ts";
import { Breakdown } from "./breakdown.ts";
import type { Workspace } from "./build-request.ts";
import type { Job, JobNeed } from "./job.ts";
import { RemoteResults } from "./remote-results.ts";
import { RunningCode } from "./running-code.ts";
import { StagingAreas } from "./staging.ts";
import { runTask } from "./task-run.ts";

interface JobRunContext {
  readonly remote: RemoteCache;
  /** This machine, for messages. */
  readonly node: string;
  readonly signal: AbortSignal;
  readonly onOutput: (text: string) => void;
  readonly onNote: (message: string) => void;
}

/** Runs the job in the workspace, which is empty, and offers its result. Throws a `UserError` or `TaskFailure` where it cannot. */
export async function runJob(workspace: Workspace, job: Job, context: JobRunContext): Promise<void> {
  const { state } = workspace;
  const { remote, signal } = context;
  state.prepare();
  const task = tasksOf(workspace.taskfile.targets).find(({ name }) => name === job.task);
  if (task === undefined) throw new JobDeclined(`there is no task ${job.task}`);
  const bound: BoundTask = {
    id: job.id,
    task,
    variant: job.variant,
    requestedVariant: job.requestedVariant,
    needs: new Map(job.needs.map(({ name, id }) => [name, id])),
    outputs: outputsIn(task, job.outputs, state),
    values: new Map(job.values.map(([name, value]) => [name, value])),
    named: new Map(job.named.map(([name, value]) => [name, value])),
  };
  await layOutInputs(job, state, context);
  const graph = new Map<TaskId, BoundTask>();
  const made = new Map<TaskId, Listing>();
  for (const need of job.needs) {
    const declared = task.needs[need.name];
    if (need.id === undefined) continue;
    if (declared === undefined) throw new JobDeclined(`${job.task} does not need ${need.name}`);
    const needed = neededTask(declared);
    const stub = { ...bound, id: need.id, task: needed, outputs: outputsIn(needed, need.places, state) };
    graph.set(need.id, stub);
    made.set(need.id, await layOutNeed(need, stub, state, context));
  }
  graph.set(bound.id, bound);
  const found = new Map();
  const assessment = await assess(bound, digestsOfNeeds(bound, made), {
    ...workspace,
    env: job.env,
    foundTools: found,
  });
  refuseDifference(job.parts, assessment.parts, context);
  if (resultKeyOf(bound, assessment.parts, graph) === undefined)
    throw new JobDeclined(`results of ${job.task} are not shared`);
  const shared = new Shared();
  const breakdown = new Breakdown({ signal });
  const running = new RunningCode(breakdown);
  const stagingAreas = new StagingAreas(state.temporaryRoot);
  const stopListening = running.listen();
  let late: unknown;
  try {
    stagingAreas.prepare();
    const run = runTask(bound, assessment, {
      state,
      stagingAreas,
      env: job.env,
      signal: AbortSignal.any([signal, breakdown.signal]),
      outputsOf: (id) => placesOf(graph.get(id)?.outputs ?? []),
      onProgress: () => {},
      // What is printed for it is none of the task's output.
      onOutput: (text) => running.outside(() => context.onOutput(text)),
      onNote: (message) => running.outside(() => context.onNote(message)),
      needed: (id) => {
        const listing = made.get(id);
        return listing && { places: placesOf(graph.get(id)?.outputs ?? []), listing };
      },
      movedSources: () => [],
      onMoved: () => {},
      onSettled: () => {},
      onProcess: () => {},
      share: shared.share,
      remote,
      running,
      outputLimit: job.outputLimit,
      onLateError: (error) => {
        late = error;
      },
      audit: "off",
      ...(workspace.code.program === undefined ? {} : { program: workspace.code.program }),
    });
    const outputs = await Promise.race([run, breakdown.stuck]);
    if (late !== undefined) throw late;
    new RemoteResults(remote, graph, state, signal).offer(bound, outputs);
  } finally {
    stopListening();
    breakdown.close();
    await stagingAreas.settled();
    await shared.close();
  }
}

/** The outputs of a task with their places in this workspace. */
function outputsIn(task: Task, places: JobNeed["places"], state: State): readonly BoundOutput[] {
  return places.flatMap(([slot, kind, relative]) => {
    const declared = task.outputs[slot];
    const place = resolveIn(state.workspace, relative);
    if (declared === undefined) return [];
    const { private: secret, sparse } = declared;
    return [{ slot, kind, place: declared.place, private: secret, sparse, path: place, usualPath: place }];
  });
}

async function layOutInputs(job: Job, state: State, context: JobRunContext): Promise<void> {
  const listing = decodeListing(job.inputs);
  if (listing === undefined) throw new JobDeclined("the inputs of the job are not a listing");
  const blobs: BlobReference[] = [];
  for (const entry of listing.values()) if (entry.type === "file") blobs.push(entry);
  await bring(blobs, state, context);
  // Links come last, so that nothing is written through one.
  const isLink = ([, { type }]: readonly [string, ListedEntry]): boolean => type === "link";
  const entries = [...listing].filter((entry) => !isLink(entry));
  for (const [name, entry] of [...entries, ...[...listing].filter(isLink)]) {
    const target = resolveIn(state.workspace, name);
    if (!isBelow(target, state.workspace)) throw new JobDeclined("an input is outside of the workspace");
    mkdirSync(path.dirname(target), { recursive: true });
    if (entry.type === "directory") mkdirSync(target, { recursive: true });
    else if (entry.type === "link") symlinkSync(entry.target, target);
    else if (!(await state.store.copyOut(entry.digest, target, entry.executable ? 0o755 : 0o644)))
      throw lost(context);
  }
}

async function layOutNeed(
  need: JobNeed,
  bound: BoundTask,
  state: State,
  context: JobRunContext,
): Promise<Listing> {
  const listing = decodeListing(need.outputs);
  if (listing === undefined || !isSound(listing, bound.outputs))
    throw new JobDeclined(`the outputs of ${bound.task.name} are not what it makes`);
  const joined = new Map(need.joined);
  const blobs: BlobReference[] = [];
  for (const entry of listing.values())
    if (entry.type === "file") blobs.push(...(joined.get(entry.digest) ?? [entry]));
  await bring(blobs, state, context);
  for (const [whole, parts] of joined)
    state.store.putParts(
      whole,
      parts.map(({ digest }) => digest),
    );
  const places = placesOf(bound.outputs);
  for (const place of places.values()) mkdirSync(path.dirname(place), { recursive: true });
  if (!(await unstoreOutputs(bound.outputs, places, listing, state.store))) throw lost(context);
  recordWrittenOutputs(places, listing, state.files);
  return listing;
}

async function bring(blobs: readonly BlobReference[], state: State, context: JobRunContext): Promise<void> {
  const { remote, signal } = context;
  if (!(await remote.download({ blobs, store: state.store, priority: 0 }, signal))) throw lost(context);
}

/** What the job needs is gone from the remote cache: that is no fault of the task's. */
export class JobContentLost extends Error {
  override readonly name = "JobContentLost";
}

function lost({ node }: JobRunContext): JobContentLost {
  return new JobContentLost(`the remote cache does not give ${node} all contents of the job`);
}

/** The fingerprint must be the one of the machine that asks; a tool that differs is named. */
function refuseDifference(
  wanted: readonly Part[],
  found: readonly Part[],
  { node }: Pick<JobRunContext, "node">,
): void {
  const here = new Map(found);
  const differing = wanted.filter(([label, value]) => here.get(label) !== value).map(([label]) => label);
  if (differing.length === 0 && wanted.length === found.length) return;
  const tools = differing.flatMap((label) => (label.startsWith("tool ") ? [label.slice(5)] : []));
  // Such as an input of which a part is selected with the help of files that are not declared.
  if (tools.length === 0)
    throw new JobDeclined(`it finds something else for ${differing.join(", ") || "the task"}`);
  throw new UserError(
    `the program ${tools.join(", ")} on ${node} is another one than on the machine that submits the job`,
    {
      code: "node-differs",
      hint: "install the same version on all nodes, or exclude the node",
    },
  );
}

/** The node cannot run the task as the machine that asks would; that one still can. */
export class JobDeclined extends Error {
  override readonly name = "JobDeclined";
}
