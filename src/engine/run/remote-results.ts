/** Results that other machines made, for the tasks of one build: found before a task runs, and offered when it has run. */
import type { BoundTask, Graph } from "../bind/bound-task.ts";
import { type Assessment, type Decision, rememberInputs } from "../decide/decision.ts";
import type { Reason } from "../decide/reason.ts";
import { encodeListing, type Listing } from "../files/listing.ts";
import { isSound } from "../state/listing-rules.ts";
import type { BlobReference, RemoteCache, ResultKey } from "../state/remote-cache.ts";
import type { Stamp } from "../state/stamp.ts";
import type { State } from "../state/state.ts";
import { pathFacts } from "./path-facts.ts";

/** A result of another machine, whose contents are in the store now. */
interface RemoteRestore {
  readonly decision: Extract<Decision, { kind: "restore" }>;
  /** Who made it, in that machine's own words. */
  readonly maker: string;
}

export class RemoteResults {
  readonly #remote: RemoteCache;
  readonly #graph: Graph;
  readonly #state: State;
  readonly #variant: string;

  constructor(remote: RemoteCache, graph: Graph, state: State, variant: string) {
    this.#remote = remote;
    this.#graph = graph;
    this.#state = state;
    this.#variant = variant;
  }

  /** The result that another machine has for this task as it is now; undefined for none. Rejects only for the signal. */
  async find(
    bound: BoundTask,
    assessment: Assessment,
    reasons: readonly Reason[],
    signal: AbortSignal,
  ): Promise<RemoteRestore | undefined> {
    if (!this.#isShared(bound, assessment)) return undefined;
    const found = await this.#remote.find(keyOf(bound, assessment), signal);
    // Others wrote it, so it must also be one that this task can make.
    if (found === undefined || !isSound(found.outputs, bound.outputs)) return undefined;
    const blobs: BlobReference[] = found.log === undefined ? [] : [found.log];
    for (const entry of found.outputs.values()) if (entry.type === "file") blobs.push(entry);
    if (!(await this.#remote.download(blobs, this.#state.store, signal))) return undefined;
    const facts = pathFacts(bound, this.#variant);
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

  /** Offers the result that the task has just had. */
  offer(bound: BoundTask, outputs: Listing): void {
    const stamp = this.#state.stamps.current(bound.id);
    // Without a stamp its inputs changed while it ran.
    if (stamp === undefined || !this.#isShared(bound, stamp)) return;
    const log = stamp.log === undefined ? undefined : this.#state.store.read(stamp.log);
    if (stamp.log !== undefined && log === undefined) return;
    const result = {
      outputs,
      seconds: stamp.seconds,
      ...(stamp.log === undefined || log === undefined ? {} : { log: { digest: stamp.log, size: log.size } }),
    };
    this.#remote.offer(keyOf(bound, stamp), result, this.#state.store);
  }

  /**
   * Whether other machines may have the result, and can: not where a secret is involved, whose tag depends on the workspace, nor
   * where an input is made or rewritten in each workspace.
   */
  #isShared({ task, needs, outputs }: BoundTask, { parts }: Pick<Assessment, "parts">): boolean {
    if (!task.cached || task.interactive) return false;
    if (parts.some(([label, value]) => /^(param|env) /.test(label) && value.startsWith("secret ")))
      return false;
    if (Object.values(task.inputs).some((input) => input.kind === "file" && input.mutable)) return false;
    if (Object.values(task.inputs).some((input) => "generate" in input && input.generate !== undefined))
      return false;
    const isPrivate = (output: { readonly private: boolean }): boolean => output.private;
    const needed = [...needs.values()].flatMap((id) => (id === undefined ? [] : [this.#graph.get(id)]));
    return !outputs.some(isPrivate) && !needed.some((need) => need?.outputs.some(isPrivate));
  }
}

function keyOf({ task, variant }: BoundTask, { parts }: Pick<Assessment, "parts">): ResultKey {
  return { task: task.name, variant: variant ?? "", parts };
}
