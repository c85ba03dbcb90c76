/** `task graph`: what needs what, in the forms that drawing programs read. It writes nothing. */
import { bind, displayPath, needsOf, type Task } from "../../engine/index.ts";
import { UsageError } from "../../errors/index.ts";
import { allTasks, findTask, inItsPlace } from "../options/target-name.ts";
import type { Session } from "../session.ts";

const graphFormats = ["dot", "mermaid", "json", "svg"] as const;
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
