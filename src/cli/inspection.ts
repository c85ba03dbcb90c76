/**
 * The commands that only look: why, list, graph, cache. None but `cache gc` and `cache clear` writes anything.
 */
import { rmSync } from "node:fs";
import path from "node:path";
import {
  acquireLock,
  bind,
  collectGarbage,
  describeReason,
  displayPath,
  type Forecast,
  forecast,
  needsOf,
  storeStatistics,
  type Task,
  verifyStore,
} from "../engine/index.ts";
import { UsageError } from "../errors/index.ts";
import { nameOf, reasonLine } from "./plain-reporter.ts";
import type { Session } from "./session.ts";
import { formatBytes } from "./style.ts";
import { findTask, inItsPlace, targetLines } from "./target-name.ts";

/** What a build would do, with the full list of reasons for the target that was asked about. */
export async function whyCommand(session: Session, words: readonly string[]): Promise<number> {
  const { taskfile } = session.workspace;
  const task = inItsPlace(
    findTask(oneWord(words, "why <target>"), taskfile),
    taskfile,
    session.request.given,
  );
  const { request, values, workspace } = session;
  const forecasts = await forecast(workspace, {
    targets: [task],
    variant: request.variant,
    values,
    force: request.force,
  });
  printForecast(session, forecasts);
  const asked = forecasts.at(-1);
  if (asked !== undefined && asked.reasons.length > 1 && !request.json) {
    session.io.stdout.write(`\nall reasons for ${nameOf(asked.id)}:\n`);
    for (const reason of asked.reasons) session.io.stdout.write(`  ${describeReason(reason)}\n`);
  }
  return 0;
}

export function printForecast({ io, request }: Session, forecasts: readonly Forecast[]): void {
  if (request.json) {
    const encoded = forecasts.map(({ id, verdict, reasons }) => ({
      task: id,
      verdict,
      reasons: reasons.map((reason) => ({ ...reason, text: describeReason(reason) })),
    }));
    io.stdout.write(`${JSON.stringify(encoded, undefined, 2)}\n`);
    return;
  }
  const verdicts = {
    fresh: "fresh",
    restore: "would be restored",
    run: "would run",
    maybe: "would maybe run",
  } as const;
  for (const { id, verdict, reasons } of forecasts) {
    io.stdout.write(
      `${nameOf(id)}: ${verdicts[verdict]}${reasons.length === 0 ? "" : `, ${reasonLine(reasons)}`}\n`,
    );
  }
}

export function listCommand({ io, request, workspace }: Session, words: readonly string[]): number {
  noWords(words, "list");
  const { taskfile } = workspace;
  if (request.json) {
    const targets = taskfile.targets.map((target) => ({
      name: target.name,
      kind: target.kind,
      description: target.description,
      aliases: Object.entries(taskfile.aliases ?? {}).flatMap(([alias, of]) =>
        of === target ? [alias] : [],
      ),
      ...(target.kind === "task" ? { internal: target.internal } : {}),
    }));
    io.stdout.write(`${JSON.stringify(targets, undefined, 2)}\n`);
    return 0;
  }
  const lines = targetLines(taskfile);
  const width = Math.max(...lines.map(([name]) => name.length)) + 2;
  for (const [name, description] of lines) io.stdout.write(`${name.padEnd(width)}${description}\n`);
  return 0;
}

const graphFormats = ["dot", "mermaid", "json", "svg"] as const;
type GraphFormat = (typeof graphFormats)[number];

/** The graph of one target, or of all, as text. */
export async function graphCommand(session: Session, words: readonly string[]): Promise<number> {
  const { taskfile } = session.workspace;
  if (words.length > 1)
    throw new UsageError("`graph` takes one target at most", {
      code: "graph-usage",
      hint: "name one, or none for all: task graph [target]",
    });
  const named = words[0];
  const targets: readonly Task[] =
    named === undefined
      ? taskfile.targets.filter((target): target is Task => target.kind === "task")
      : [findTask(named, taskfile)];
  const format = graphFormats.find((known) => known === (session.request.format ?? "dot"));
  if (format === undefined) {
    throw new UsageError(
      `--format is "${session.request.format}", but must be one of: ${graphFormats.join(", ")}`,
      {
        code: "graph-format",
        hint: "leave it out for dot",
      },
    );
  }
  const graph = await bind(session.workspace, {
    targets,
    variant: session.request.variant,
    values: session.values,
  });
  const nodes = [...graph.values()].map((bound) => ({
    id: bound.id,
    needs: needsOf(bound),
    outputs: bound.outputs.map((output) => displayPath(session.workspace.state.workspace, output.path)),
  }));
  session.io.stdout.write(await renderGraph(nodes, format));
  return 0;
}

interface GraphNode {
  readonly id: string;
  readonly needs: readonly string[];
  readonly outputs: readonly string[];
}

async function renderGraph(nodes: readonly GraphNode[], format: GraphFormat): Promise<string> {
  switch (format) {
    case "json":
      return `${JSON.stringify(nodes, undefined, 2)}\n`;
    case "svg": {
      const { instance } = await import("@viz-js/viz");
      return (await instance()).renderString(await renderGraph(nodes, "dot"), { format: "svg" });
    }
    case "dot": {
      const lines = nodes.flatMap(({ id, needs }) => [
        `  ${JSON.stringify(id)};`,
        ...needs.map((need) => `  ${JSON.stringify(need)} -> ${JSON.stringify(id)};`),
      ]);
      return `digraph tasks {\n  rankdir=LR;\n  node [shape=box, style=rounded, fontname=Helvetica];\n${lines.join("\n")}\n}\n`;
    }
    case "mermaid": {
      const names = new Map(nodes.map(({ id }, index) => [id, `t${index}`]));
      const lines = nodes.flatMap(({ id, needs }) => [
        `  ${names.get(id)}["${id}"]`,
        ...needs.map((need) => `  ${names.get(need)} --> ${names.get(id)}`),
      ]);
      return `graph LR\n${lines.join("\n")}\n`;
    }
  }
}

/** `cache stats`, `cache gc`, `cache verify`, `cache clear`. */
export async function cacheCommand(session: Session, words: readonly string[]): Promise<number> {
  const { io, workspace } = session;
  const { state, taskfile } = workspace;
  const limit = taskfile.cache?.maxSize ?? 5 * 1024 ** 3;
  const action = oneWord(words, "cache <stats|gc|verify|clear>");
  if (action === "stats") {
    const { blobs, bytes, results } = storeStatistics(state);
    if (session.request.json) io.stdout.write(`${JSON.stringify({ blobs, bytes, results, limit })}\n`);
    else
      io.stdout.write(`${blobs} blobs, ${formatBytes(bytes)} of ${formatBytes(limit)}; ${results} results\n`);
    return 0;
  }
  if (action !== "gc" && action !== "verify" && action !== "clear") {
    throw new UsageError(`there is no "cache ${action}"`, {
      code: "cache-usage",
      hint: "cache stats, cache gc, cache verify, cache clear",
    });
  }
  state.prepare();
  const release = await acquireLock(state.lockFile, session.command, new AbortController().signal, (owner) =>
    io.stderr.write(`note: waiting for process ${owner.pid} (${owner.command})\n`),
  );
  try {
    if (action === "clear") {
      for (const part of ["store", "out", "tmp", "stamps.log", "files.log"]) {
        rmSync(path.join(state.root, part), { recursive: true, force: true });
      }
      io.stdout.write("the cache is empty\n");
    } else if (action === "verify") {
      const damaged = await verifyStore(state);
      for (const digest of damaged) io.stdout.write(`removed ${digest}: its content was damaged\n`);
      io.stdout.write(
        `${damaged.length === 0 ? "every blob is whole" : `${damaged.length} damaged blobs removed`}\n`,
      );
    } else {
      const { before, after, removedBlobs, forgottenResults } = await collectGarbage(state, limit);
      io.stdout.write(
        `${formatBytes(before)} → ${formatBytes(after)}: ${removedBlobs} blobs removed, ${forgottenResults} results forgotten\n`,
      );
    }
  } finally {
    release();
  }
  return 0;
}

function oneWord(words: readonly string[], usage: string): string {
  const [word] = words;
  if (word === undefined || words.length > 1)
    throw new UsageError(`\`${usage.split(" ")[0]}\` wants one word behind it`, {
      code: "usage",
      hint: `usage: task ${usage}`,
    });
  return word;
}

function noWords(words: readonly string[], name: string): void {
  if (words.length > 0)
    throw new UsageError(`\`${name}\` takes no target`, {
      code: "usage",
      hint: "leave out what stands behind it",
    });
}
