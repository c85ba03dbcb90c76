/**
 * `task graph`: what needs what, and what a build would do with it, in the formats that drawing programs read. It writes nothing.
 */
import { bind, displayPath, forecast, needsOf, type Task } from "../../engine/index.ts";
import { UsageError } from "../../errors/index.ts";
import { graphFormats } from "../options/option-table.ts";
import { allTasks, findTask, inItsPlace } from "../options/target-name.ts";
import type { Session } from "../session.ts";
import { dotText, type GraphNode, mermaidText } from "./graph-drawing.ts";

type GraphFormat = (typeof graphFormats)[number];

/** The graph of one target, or of all, as text. */
export async function graphCommand(session: Session, words: readonly string[]): Promise<number> {
  const { taskfile } = session.workspace;
  if (words.length > 1)
    throw new UsageError("`graph` takes at most one target", {
      code: "graph-usage",
      hint: "name one, or none for all: task graph [target]",
    });
  const named = words[0];
  const targets: readonly Task[] =
    named === undefined
      ? allTasks(taskfile, session.request.given)
      : [inItsPlace(findTask(named, taskfile), taskfile, session.request.given)];
  const format = graphFormats.find((known) => known === (session.request.format ?? "dot"));
  if (format === undefined) {
    throw new UsageError(
      `--format is "${session.request.format}", but must be one of: ${graphFormats.join(", ")}`,
      {
        code: "graph-format",
        hint: "omit it for dot",
      },
    );
  }
  const nodes = await nodesOf(session, targets);
  const title = `${named ?? taskfile.title}, ${session.request.variant}`;
  session.io.stdout.write(await renderGraph(nodes, title, format));
  return 0;
}

interface DescribedNode extends GraphNode {
  /** Paths of its outputs, relative to the workspace where they are in it. */
  readonly outputs: readonly string[];
}

async function nodesOf(session: Session, targets: readonly Task[]): Promise<readonly DescribedNode[]> {
  const { request, values, workspace } = session;
  const asked = { targets, variant: request.variant, values };
  const graph = await bind(workspace, asked);
  const forecasts = await forecast(workspace, { ...asked, force: request.force, partial: true });
  return forecasts.flatMap((one) => {
    const bound = graph.get(one.id);
    if (bound === undefined) return [];
    const outputs = bound.outputs.map((output) => displayPath(workspace.state.workspace, output.path));
    return [{ ...one, needs: needsOf(bound), outputs }];
  });
}

async function renderGraph(
  nodes: readonly DescribedNode[],
  title: string,
  format: GraphFormat,
): Promise<string> {
  switch (format) {
    case "json":
      return `${JSON.stringify(nodes.map(encoded), undefined, 2)}\n`;
    case "svg": {
      const { instance } = await import("@viz-js/viz");
      return (await instance()).renderString(dotText(nodes, title), { format: "svg" });
    }
    case "dot":
      return dotText(nodes, title);
    case "mermaid":
      return mermaidText(nodes, title);
  }
}

function encoded({ id, needs, outputs, verdict, lastSeconds }: DescribedNode): object {
  return { id, needs, outputs, verdict, ...(lastSeconds === undefined ? {} : { lastSeconds }) };
}
