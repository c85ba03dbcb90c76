/** What the tasks of one graph share while they are at work. */
import { availableParallelism } from "node:os";
import { dependentsOf, digestsOfNeeds } from "../bind/adjacency.ts";
import type { BoundTask, Graph } from "../bind/bound-task.ts";
import { type Decision, decide } from "../decide/decision.ts";
import type { AbsolutePath, Digest, TaskId } from "../define/names.ts";
import type { Shared } from "../define/shared.ts";
import type { ResolvedInput } from "../files/input.ts";
import type { Listing } from "../files/listing.ts";
import type { BuildRequest, Workspace } from "./build-request.ts";
import type { CodeAccesses } from "./code-access.ts";
import { CodeCheck } from "./code-check.ts";
import { criticalPaths } from "./critical-path.ts";
import { DeferredResults } from "./deferred-results.ts";
import { Cancellation } from "./live-build.ts";
import { Prefetches } from "./prefetch.ts";
import { RemoteExecution } from "./remote-execution.ts";
import { RemoteResults } from "./remote-results.ts";
import type { RunningCode } from "./running-code.ts";
import { StagingAreas } from "./staging.ts";

const defaultOutputLimit = 8 * 1024 ** 2;

/** What a build hands to the run of its graph, beside the request. */
export interface RunServices {
  readonly shared: Shared;
  readonly running: RunningCode;
  readonly codeAccesses?: CodeAccesses;
}

export class RunContext {
  readonly graph: Graph;
  readonly workspace: Workspace;
  readonly request: BuildRequest;
  readonly services: RunServices;
  /** Outputs of the tasks that are done. */
  readonly made = new Map<TaskId, Listing>();
  /** What is left to do: tasks with those that they need and that are not done. */
  readonly nodes = new Map<TaskId, readonly TaskId[]>();
  /** The inputs that each task saw; kept for a watch only, since a hundred thousand names take memory. */
  readonly seen = new Map<TaskId, readonly ResolvedInput[] | undefined>();
  readonly dependents: ReadonlyMap<TaskId, readonly BoundTask[]>;
  readonly cancellation: Cancellation | undefined;
  readonly prefetches = new Prefetches();
  readonly codeCheck = new CodeCheck();
  readonly stagingAreas: StagingAreas;
  readonly deferred: DeferredResults;
  readonly remote: RemoteResults | undefined;
  /** Other machines, where tasks may run there. */
  readonly elsewhere: RemoteExecution | undefined;
  /** How many tasks may run here at once. */
  readonly jobs: number;
  readonly outputLimit: number;
  readonly #foundTools = new Map<string, AbsolutePath>();
  #paths: ReadonlyMap<TaskId, number> | undefined;

  constructor(graph: Graph, workspace: Workspace, request: BuildRequest, services: RunServices) {
    const { state, taskfile, env } = workspace;
    this.graph = graph;
    this.workspace = workspace;
    this.request = request;
    this.services = services;
    this.dependents = dependentsOf(graph);
    this.cancellation = request.watcher === undefined ? undefined : new Cancellation();
    this.stagingAreas = new StagingAreas(state.temporaryRoot);
    this.deferred = new DeferredResults(request.targets, state, request.watcher !== undefined);
    this.jobs = request.jobs ?? availableParallelism();
    this.outputLimit = taskfile.output?.maxSize ?? defaultOutputLimit;
    const { remote, execution, signal } = request;
    const { made, outputLimit } = this;
    const results = remote === undefined ? undefined : new RemoteResults(remote, graph, state, signal);
    this.remote = results;
    this.elsewhere =
      remote === undefined || results === undefined || execution === undefined
        ? undefined
        : new RemoteExecution({ ...execution, remote, results, graph, state, made, env, outputLimit });
  }

  get(id: TaskId): BoundTask {
    const bound = this.graph.get(id);
    if (bound === undefined) throw new Error(`no task ${id} in this graph`);
    return bound;
  }

  isForced(bound: BoundTask): boolean {
    const { force } = this.request;
    return force === "all" || force.has(bound.task.name);
  }

  get isAudited(): boolean {
    return (this.request.audit ?? "off") !== "off";
  }

  /** Whether the task runs here whatever other machines have. */
  mustRun(bound: BoundTask): boolean {
    return this.isForced(bound) || this.isAudited;
  }

  /** Decides on a task by what its needs made; `needs` are others' digests where those are only expected. */
  decide(
    bound: BoundTask,
    needs: ReadonlyMap<string, Digest | undefined> = digestsOfNeeds(bound, this.made),
  ): Promise<Decision> {
    return decide(bound, needs, this.isForced(bound), this.decisionContext);
  }

  get decisionContext(): Workspace & { readonly foundTools: Map<string, AbsolutePath> } {
    return { ...this.workspace, foundTools: this.#foundTools };
  }

  /** Seconds that the task took last. */
  cost(id: TaskId): number {
    return this.workspace.state.stamps.last(id)?.seconds ?? 1;
  }

  /** Seconds from the task's start to the end of the longest chain of dependents, as far as that is left to do. */
  priorityOf(id: TaskId): number {
    const idsOf = (tasks: readonly BoundTask[]) => tasks.map((task) => task.id);
    this.#paths ??= criticalPaths(
      this.nodes,
      new Map([...this.dependents].map(([need, tasks]) => [need, idsOf(tasks)])),
      (one) => this.cost(one),
    );
    return this.#paths.get(id) ?? 0;
  }
}
