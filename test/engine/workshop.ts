/** Small workspaces, and builds of them in this process, for the tests of the engine. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach } from "vitest";
import {
  type AbsolutePath,
  type BuildEvent,
  build,
  type Clock,
  type CodeIndex,
  type Digest,
  describeReason,
  ParameterValues,
  type RemoteCache,
  removeProducts,
  State,
  type Task,
  taskfile,
} from "../../src/engine/index.ts";

const roots: string[] = [];
afterEach(() => {
  for (const root of roots.splice(0)) rmSync(root, { recursive: true, force: true });
});

/** A new directory with these files, removed after the test. */
export function workspace(content: Record<string, string>, parent = tmpdir()): AbsolutePath {
  const root = mkdtempSync(path.join(parent, "engine test "));
  roots.push(root);
  for (const [name, text] of Object.entries(content)) write(root, name, text);
  return root as AbsolutePath;
}

export function write(root: string, name: string, text: string): void {
  mkdirSync(path.dirname(path.join(root, name)), { recursive: true });
  writeFileSync(path.join(root, name), text);
}

export function code(version = "1"): CodeIndex {
  return {
    digestOf: () => version.padStart(64, "0") as Digest,
    modulesOf: () => [],
    sourcesOf: () => [],
    sources: [],
    locate: (location) =>
      location === undefined ? "?" : `${path.basename(location.module)}:${location.line}`,
  };
}

/** Builds the targets as a new process would, and says how each task came out. */
export async function run(
  root: AbsolutePath,
  targets: readonly Task[],
  options: {
    given?: Record<string, string>;
    variant?: string;
    version?: string;
    signal?: AbortSignal;
    clock?: Clock;
    state?: State;
    keepGoing?: boolean;
    jobs?: number;
    /** Targets of the Taskfile that are not asked for. */
    others?: readonly Task[];
    maxSize?: number;
    env?: Record<string, string>;
    audit?: "report" | "strict";
    remote?: RemoteCache;
    onEvent?: (event: BuildEvent) => void;
  } = {},
) {
  const events: BuildEvent[] = [];
  const variant = options.variant ?? "dev";
  const values = new ParameterValues(new Map(Object.entries(options.given ?? {})), {
    root,
    env: {},
    variant,
    note: () => {},
  });
  const definition = taskfile({
    title: "Test",
    targets: [...targets, ...(options.others ?? [])],
    variants: { dev: { description: "", flags: [] }, prod: { description: "", flags: [] } },
    pools: { network: 6 },
    ...(options.maxSize === undefined ? {} : { cache: { maxSize: options.maxSize } }),
  });
  const result = await build(
    {
      taskfile: definition,
      state: options.state ?? new State(root, options.clock),
      code: code(options.version),
      toolHint: () => undefined,
      env: options.env ?? {},
    },
    {
      targets,
      variant,
      values,
      force: new Set(),
      keepGoing: options.keepGoing ?? false,
      ...(options.jobs === undefined ? {} : { jobs: options.jobs }),
      audit: options.audit ?? "off",
      ...(options.remote === undefined ? {} : { remote: options.remote }),
      command: "test",
      signal: options.signal ?? new AbortController().signal,
      onEvent: (event) => {
        events.push(event);
        options.onEvent?.(event);
      },
    },
  );
  const outcomes: Record<string, string> = {};
  for (const event of events) {
    if (event.type === "task-done") outcomes[event.task] = event.reasons.map(describeReason).join("; ");
    if (event.type === "task-fresh") outcomes[event.task] = "fresh";
    if (event.type === "task-restored") outcomes[event.task] = "restored";
    if (event.type === "task-failed") outcomes[event.task] = `failed: ${String(event.error)}`;
    if (event.type === "task-skipped") outcomes[event.task] = "skipped";
  }
  const notes = events.flatMap((event) => (event.type === "note" ? [event.message] : []));
  return { outcome: result.outcome, moved: result.moved, outcomes, events, notes };
}

/** Removes what the target and those it needs made; returns the paths that were removed. */
export function clean(
  root: AbsolutePath,
  target: Task,
  { all = false }: { readonly all?: boolean } = {},
): Promise<readonly string[]> {
  const definition = taskfile({
    title: "",
    targets: [target],
    variants: { dev: { description: "", flags: [] } },
  });
  const state = new State(root);
  const workspace = { taskfile: definition, state, code: code(), toolHint: () => undefined, env: {} };
  return removeProducts(workspace, { all }, "test");
}
