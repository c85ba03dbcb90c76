/** Host tools: those that the asked-for tasks run are needed, the others of the table are good to have. */
import { bind, type ParameterValues, type Task } from "../../engine/index.ts";
import { knownTools, reportTool, type ToolReport } from "../../host/index.ts";
import type { Session } from "../session.ts";
import { counted } from "../style.ts";
import { findTask, listedTargets } from "../target-name.ts";
import { failed, type Line } from "./line.ts";

/**
 * The tasks that would be built for these words (all that are listed when there are none), and what is wrong with the
 * project itself: then every task that might be needed counts.
 */
export async function tasksToBuild(
  { workspace, request }: Session,
  values: ParameterValues,
  words: readonly string[],
): Promise<{ readonly tasks: readonly Task[]; readonly project: readonly Line[] }> {
  const listed = listedTargets(workspace.taskfile).filter((target): target is Task => target.kind === "task");
  const targets = words.length === 0 ? listed : words.map((word) => findTask(word, workspace.taskfile));
  try {
    const graph = await bind(workspace, { targets, variant: request.variant, values });
    const text = `${counted(graph.size, "task")} for ${request.variant} in ${workspace.state.workspace}`;
    return {
      tasks: [...graph.values()].map(({ task }) => task),
      project: [{ check: "project", status: "good", text }],
    };
  } catch (error) {
    return { tasks: targets, project: [{ check: "project", ...failed(error) }] };
  }
}

export async function checkTools(tasks: readonly Task[]): Promise<readonly Line[]> {
  const users = new Map<string, string[]>();
  for (const task of tasks) {
    for (const tool of toolsOf(task)) users.set(tool, [...(users.get(tool) ?? []), task.name]);
  }
  const others = knownTools.filter((tool) => !users.has(tool) && !tool.startsWith("qemu"));
  const reports = await Promise.all([...[...users.keys()].sort(), ...others].map(reportTool));
  return reports.map((report) => lineFor(report, users.get(report.tool)));
}

/** Also those that make an absent input. */
function toolsOf(task: Task): readonly string[] {
  const seeds = Object.values(task.inputs).flatMap((input) =>
    input.kind === "files" ? (input.seed?.tools ?? []) : [],
  );
  return [...task.tools, ...seeds];
}

function lineFor(
  { tool, purpose, path, version, hint }: ToolReport,
  users: readonly string[] | undefined,
): Line {
  const reason = purpose === undefined ? "" : `, for ${purpose}`;
  const used = users === undefined ? "; not needed for this" : `; ${[...new Set(users)].join(", ")}`;
  if (path !== undefined) return { check: tool, status: "good", text: `${version ?? path}${reason}${used}` };
  return {
    check: tool,
    status: users === undefined ? "advice" : "missing",
    text: `not installed${reason}${used}`,
    ...(hint === undefined ? {} : { hint }),
  };
}
