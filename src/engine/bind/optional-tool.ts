/** The host tools of a bound task: which it needs, and which it runs where they are installed. */
import { UserError } from "../../errors/index.ts";
import type { ToolUse } from "../define/declared-task.ts";
import type { BoundTask, Graph } from "./bound-task.ts";
import { findTool, locateTool, type ToolHint } from "./tool.ts";

type Used = Pick<BoundTask, "task" | "values">;

/** Uses by the tool's name, as the task declares them for its parameters' values. */
function usesOf({ task, values }: Used): Readonly<Record<string, ToolUse>> {
  if (typeof task.optionalTools === "function") return task.optionalTools(Object.fromEntries(values));
  return Object.fromEntries(task.optionalTools.map((tool) => [tool, "useful"]));
}

function toolsWith(bound: Used, use: ToolUse): readonly string[] {
  return Object.entries(usesOf(bound)).flatMap(([tool, own]) => (own === use ? [tool] : []));
}

/** The tools without which the task fails. */
export function neededTools(bound: BoundTask): readonly string[] {
  return [...bound.task.tools, ...toolsWith(bound, "needed")];
}

/** The tools that `run` looks for itself and handles the absence of. */
export function usefulTools(bound: BoundTask): readonly string[] {
  return [...toolsWith(bound, "self-checked"), ...toolsWith(bound, "useful")];
}

/** Every tool that this build of the task may run, those of its inputs and parameters included, with its use. */
export function toolUses(bound: Used): ReadonlyMap<string, Exclude<ToolUse, "unused">> {
  const uses = new Map<string, Exclude<ToolUse, "unused">>();
  for (const parameter of Object.values(bound.task.params))
    for (const tool of parameter.tools ?? []) uses.set(tool, "useful");
  for (const [tool, use] of Object.entries(usesOf(bound))) if (use !== "unused") uses.set(tool, use);
  const seeds = Object.values(bound.task.inputs).flatMap((input) =>
    input.kind === "files" ? (input.generate?.tools ?? []) : [],
  );
  for (const tool of [...bound.task.tools, ...seeds]) uses.set(tool, "needed");
  return uses;
}

/**
 * Throws a `UserError` (`tool-missing`) that names every tool that a task of the graph needs and PATH does not have: before
 * anything is downloaded, not when the task's turn comes.
 */
export function requireTools(graph: Graph, hint: ToolHint): void {
  const tools = new Set([...graph.values()].flatMap(neededTools));
  const missing = [...tools].filter((tool) => locateTool(tool) === undefined);
  const [first] = missing;
  if (first === undefined) return;
  if (missing.length === 1) findTool(first, hint);
  throw new UserError(
    `required programs are not installed: ${missing.map((tool) => `"${tool}"`).join(", ")}`,
    {
      code: "tool-missing",
      hint: missing
        .map((tool) => `${tool}: ${hint(tool) ?? "no installation command is known"}`)
        .join("\n        "),
    },
  );
}
