/** The facts of builds that a command may show: from the log of the last builds, and from the graph as it is now. */
import {
  type BuildFacts,
  bind,
  describeReason,
  displayPath,
  forecast,
  needsOf,
  type Task,
  type TaskFacts,
} from "../../engine/index.ts";
import { readPreviousLog, readRunLog } from "../output/run-log.ts";
import type { Session } from "../session.ts";

/** Reads only. The graph is that of `targets`. */
export async function buildFacts(session: Session, targets: readonly Task[]): Promise<BuildFacts> {
  const { state } = session.workspace;
  const [last, previous] = [readRunLog(state), readPreviousLog(state)];
  return {
    ...(last === undefined ? {} : { last }),
    ...(previous === undefined ? {} : { previous }),
    graph: await graphFacts(session, targets),
  };
}

async function graphFacts(
  { request, values, workspace }: Session,
  targets: readonly Task[],
): Promise<readonly TaskFacts[]> {
  const asked = { targets, variant: request.variant, values };
  const graph = await bind(workspace, asked);
  const shown = (file: string): string => displayPath(workspace.state.workspace, file);
  return (await forecast(workspace, { ...asked, force: request.force, partial: true })).flatMap((one) => {
    const bound = graph.get(one.id);
    if (bound === undefined) return [];
    const { id, verdict, reasons, lastSeconds } = one;
    const inputs = Object.entries(bound.task.inputs).map(([name, input]) => {
      const named = input.kind === "file" ? input.path : input.root;
      return `${name}: ${typeof named === "string" ? named : `--${named.name}`}${input.kind === "file" ? "" : "/"}`;
    });
    return {
      ...{ id, verdict, inputs, needs: needsOf(bound), reasons: reasons.map(describeReason) },
      ...(lastSeconds === undefined ? {} : { lastSeconds }),
      outputs: bound.outputs.map((output) => shown(output.path)),
      parts: workspace.state.stamps.last(id)?.parts ?? [],
    };
  });
}
