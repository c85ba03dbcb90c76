/** Host tools: those that the asked-for tasks run are needed, the others of the table are good to have. */
import {
  type BoundTask,
  bind,
  type ParameterValues,
  type ToolUse,
  tasksOf,
  toolUses,
} from "../../engine/index.ts";
import { knownTools, reportTool, type ToolReport, tableName, toolsOfFiles } from "../../host/index.ts";
import { allTasks, findTask, inItsPlace } from "../options/target-name.ts";
import type { Session } from "../session.ts";
import { counted } from "../terminal/style.ts";
import { failed, type Line } from "./line.ts";

/** A task, with its parameters' values as far as they are known. */
type Used = Pick<BoundTask, "task" | "values">;

/**
 * The tasks that would be built for these words (all that are listed when there are none), and what is wrong with the
 * project itself: then every task that might be needed counts.
 */
export async function tasksToBuild(
  { workspace, request, isOutside }: Session,
  values: ParameterValues,
  words: readonly string[],
): Promise<{ readonly tasks: readonly Used[]; readonly project: readonly Line[] }> {
  const { taskfile } = workspace;
  const named = words.map((word) => inItsPlace(findTask(word, taskfile), taskfile, request.given));
  const listed = allTasks(taskfile, request.given).filter(({ internal }) => !internal);
  const targets = words.length === 0 ? [...listed] : [...named];
  try {
    for (const [asked, brings, wanted] of taskfile.alsoBuilds ?? [])
      if (named.includes(asked) && (wanted === undefined || (await values.get(wanted)))) targets.push(brings);
    const graph = await bind(workspace, { targets, variant: request.variant, values });
    const tasks = `${counted(graph.size, "task")} for ${request.variant}`;
    const text = isOutside
      ? `no project here; looked at what the program itself can build, ${tasks}`
      : `${tasks} in ${workspace.state.workspace}`;
    return {
      tasks: [...graph.values()],
      project: [{ check: "project", status: "good", text }],
    };
  } catch (error) {
    return {
      tasks: [...tasksOf(targets)].map((task) => ({ task, values: new Map() })),
      project: [{ check: "project", ...failed(error) }],
    };
  }
}

/** Reports the tools of the tasks, and then the known tools that none of them runs. */
export async function checkTools(tasks: readonly Used[]): Promise<readonly Line[]> {
  const wanted = new Map<string, Wanted>();
  for (const one of tasks) {
    for (const [tool, use] of usesWithFiles(one)) {
      const { use: before, users } = wanted.get(tool) ?? { use, users: [] };
      wanted.set(tool, { use: stronger(before, use), users: [...users, one.task.name] });
    }
  }
  const others = knownTools.filter((tool) => !wanted.has(tool) && !tool.startsWith("qemu"));
  const reports = await Promise.all([...[...wanted.keys()].sort(), ...others].map(reportTool));
  return reports.map((report) => lineFor(report, wanted.get(report.tool)));
}

interface Wanted {
  readonly use: ToolUse;
  /** Names of tasks. */
  readonly users: readonly string[];
}

const strengths: readonly ToolUse[] = ["unused", "useful", "self-checked", "needed"];

function stronger(one: ToolUse, other: ToolUse): ToolUse {
  return strengths.indexOf(one) < strengths.indexOf(other) ? other : one;
}

/** Uses by the tool table's names. Files of the host that a task reads, such as boot code, count as useful. */
function usesWithFiles(one: Used): ReadonlyMap<string, ToolUse> {
  const uses = new Map<string, ToolUse>();
  for (const [tool, use] of toolUses(one)) {
    const name = tableName(tool);
    uses.set(name, stronger(uses.get(name) ?? use, use));
  }
  const read = Object.values(one.task.inputs).flatMap((input) =>
    input.kind === "file" && typeof input.path === "string" ? [input.path] : [],
  );
  for (const tool of toolsOfFiles((file) => read.includes(file)))
    if (!uses.has(tool)) uses.set(tool, "useful");
  return uses;
}

function lineFor(
  { tool, purpose, path, version, tooOldFor, hint }: ToolReport,
  { use, users }: Wanted = { use: "unused", users: [] },
): Line {
  const reason = purpose === undefined ? "" : `, for ${purpose}`;
  const by = [...new Set(users)].join(", ");
  const used = use === "unused" ? "not needed for these targets" : by;
  const installed = path !== undefined;
  const facts = { check: tool, tool: { use, installed } };
  const isWeak = use === "unused" || use === "useful";
  if (tooOldFor !== undefined) {
    const text = `${version ?? ""}${reason}, but ${tooOldFor} is required; ${used}`;
    const hint = "install it from a newer release of the distribution or from upstream";
    return { ...facts, status: isWeak ? "advice" : "missing", text, hint };
  }
  if (installed) return { ...facts, status: "good", text: `${version ?? path}${reason}; ${used}` };
  return {
    ...facts,
    status: isWeak ? "advice" : "missing",
    text: `not installed${reason}; ${use === "useful" ? `optional, used by ${by}` : used}`,
    ...(hint === undefined ? {} : { hint }),
  };
}
