/**
 * Finds the up-to-date tasks of a build in one synchronous pass. A task whose state cannot be determined without waiting
 * is left to `decide`, which gives the same verdict for every task that is found here.
 */
import { digestsOfNeeds, needsOf } from "../bind/adjacency.ts";
import type { BoundTask, Graph } from "../bind/bound-task.ts";
import { neededTools, usefulTools } from "../bind/optional-tool.ts";
import { findTool, locateTool, type ToolHint } from "../bind/tool.ts";
import type { AbsolutePath, Digest, TaskId } from "../define/names.ts";
import type { Parameter } from "../define/parameter.ts";
import { digestOfKnownInput } from "../files/input.ts";
import { encodeListing, type Listing } from "../files/listing.ts";
import { isSound } from "../state/listing-rules.ts";
import { listKnownOutputs, placesOf } from "../state/output.ts";
import type { Part, Stamp } from "../state/stamp.ts";
import type { State } from "../state/state.ts";
import type { CodeIndex } from "./code-index.ts";
import { partsOf } from "./fingerprint.ts";

interface UnchangedContext {
  readonly state: State;
  readonly code: CodeIndex;
  readonly toolHint: ToolHint;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly foundTools: Map<string, AbsolutePath>;
  readonly signal: AbortSignal;
  /** Whether a task runs whatever it finds. */
  readonly isForced: (bound: BoundTask) => boolean;
  /** Results of earlier builds whose outputs were not brought here. */
  readonly deferred: {
    readonly known: (
      bound: BoundTask,
      fingerprint: string,
    ) => { readonly stamp: Stamp; readonly outputs: Listing } | undefined;
    readonly keep: (id: TaskId, result: { readonly stamp: Stamp; readonly outputs: Listing }) => void;
  };
  /** Called with each task that is fresh. */
  readonly onFresh: (bound: BoundTask, stamp: Stamp) => void;
}

/** Number of tasks after which the event loop gets a turn. */
const tasksAtOnce = 64;

/**
 * Adds to `made` the outputs of every task that is up to date and needs only such tasks. The graph has needs
 * before what needs them.
 */
export async function markUnchanged(
  graph: Graph,
  made: Map<TaskId, Listing>,
  context: UnchangedContext,
): Promise<void> {
  const tools = new ToolDigests(context);
  let count = 0;
  for (const [id, bound] of graph) {
    if (++count % tasksAtOnce === 0) await new Promise((resolve) => setImmediate(resolve));
    if (context.signal.aborted) return;
    if (!bound.task.cached || context.isForced(bound) || !needsOf(bound).every((need) => made.has(need)))
      continue;
    const { stamps } = context.state;
    const stamp = stamps.current(id);
    if (stamp === undefined) {
      const later = stamps.deferred(id);
      const result = later && context.deferred.known(bound, later.fingerprint);
      if (result === undefined || !isUnchanged(bound, result.stamp, made, tools, context)) continue;
      made.set(id, result.outputs);
      context.deferred.keep(id, result);
      continue;
    }
    const outputs = outputsIfFresh(bound, stamp, made, tools, context);
    if (outputs === undefined) continue;
    made.set(id, outputs);
    context.onFresh(bound, stamp);
  }
}

/** The task's outputs if it is up to date; undefined if not, or if that cannot be determined without waiting. */
function outputsIfFresh(
  bound: BoundTask,
  stamp: Stamp,
  made: ReadonlyMap<TaskId, Listing>,
  tools: ToolDigests,
  context: UnchangedContext,
): Listing | undefined {
  if (!isUnchanged(bound, stamp, made, tools, context)) return undefined;
  try {
    const outputs = listKnownOutputs(placesOf(bound.outputs), context.state.files);
    if (outputs === undefined || encodeListing(outputs) !== stamp.outputs) return undefined;
    return isSound(outputs, bound.outputs) ? outputs : undefined;
  } catch {
    // `decide` will run into the same error and report it when it is the task's turn.
    return undefined;
  }
}

/** Whether all that the result was made of is as it was; false also where that cannot be determined without waiting. */
function isUnchanged(
  bound: BoundTask,
  stamp: Stamp,
  made: ReadonlyMap<TaskId, Listing>,
  tools: ToolDigests,
  context: UnchangedContext,
): boolean {
  const { state, code, env } = context;
  try {
    const inputs = knownInputs(bound, state);
    const binaries = tools.of(bound);
    if (inputs === undefined || binaries === undefined) return false;
    const parts = partsOf({
      workspace: state.workspace,
      bound,
      inputs,
      code: code.digestOf(bound.task.definedAt),
      tools: binaries,
      needs: digestsOfNeeds(bound, made),
      env,
      secretKey: () => state.secretKey(),
    });
    return areSame(parts, stamp.parts);
  } catch {
    return false;
  }
}

function knownInputs(
  bound: BoundTask,
  state: State,
): readonly { readonly name: string; readonly digest: Digest }[] | undefined {
  const known: { readonly name: string; readonly digest: Digest }[] = [];
  const context = {
    workspace: state.workspace,
    files: state.files,
    memory: state.fileLog,
    value: <T>(parameter: Parameter<T>) => bound.named.get(parameter.name) as T,
  };
  for (const name of Object.keys(bound.task.inputs)) {
    const declaration = bound.task.inputs[name];
    const digest = declaration && digestOfKnownInput(declaration, context);
    if (digest === undefined) return undefined;
    known.push({ name, digest });
  }
  return known;
}

function areSame(parts: readonly Part[], others: readonly Part[]): boolean {
  if (parts.length !== others.length) return false;
  for (let index = 0; index < parts.length; index += 1) {
    const [one, other] = [parts[index], others[index]];
    if (one?.[0] !== other?.[0] || one?.[1] !== other?.[1]) return false;
  }
  return true;
}

/** The digests of tools' binaries, each looked for once. */
class ToolDigests {
  readonly #context: UnchangedContext;
  /** `null` where the digest has to be computed asynchronously, or the path is not a file. */
  readonly #digests = new Map<string, Digest | undefined | null>();

  constructor(context: UnchangedContext) {
    this.#context = context;
  }

  /** By tool; undefined where the digest of one is not known at once. */
  of(bound: BoundTask): ReadonlyMap<string, Digest | undefined> | undefined {
    const all = new Map<string, Digest | undefined>();
    for (const tool of neededTools(bound)) {
      const digest = this.#digestOf(tool, true);
      if (digest === null || digest === undefined) return undefined;
      all.set(tool, digest);
    }
    for (const tool of usefulTools(bound)) {
      const digest = this.#digestOf(tool, false);
      if (digest === null) return undefined;
      all.set(tool, digest);
    }
    return all;
  }

  #digestOf(tool: string, needed: boolean): Digest | undefined | null {
    const known = this.#digests.get(tool);
    if (known !== undefined || this.#digests.has(tool)) return known;
    const { foundTools, toolHint, state } = this.#context;
    const binary = needed ? findTool(tool, toolHint) : locateTool(tool);
    if (needed && binary !== undefined) foundTools.set(tool, binary);
    const entry = binary === undefined ? undefined : state.files.at(binary);
    const digest =
      binary === undefined
        ? undefined
        : entry instanceof Promise || entry?.type !== "file"
          ? null
          : entry.digest;
    this.#digests.set(tool, digest);
    return digest;
  }
}
