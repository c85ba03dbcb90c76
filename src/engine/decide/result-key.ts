/** The name of a task's result among machines, and which results have one. */
import type { BoundTask, Graph } from "../bind/bound-task.ts";
import type { ResultKey } from "../state/remote-cache.ts";
import type { Part } from "../state/stamp.ts";

/**
 * The key of the task's result with these parts of its fingerprint. Undefined where other machines may not have it or cannot: where
 * a secret is involved, whose tag depends on the workspace, where an input is made in each workspace, and where an output is not in the
 * store. A task that rewrites an input has the key of what it left there: who finds that result has the same already.
 */
export function resultKeyOf(
  { task, variant, needs, outputs }: BoundTask,
  parts: readonly Part[],
  graph: Graph,
): ResultKey | undefined {
  if (!task.cached || task.interactive || outputs.some(({ sparse }) => sparse)) return undefined;
  const isSecret = ([label, value]: Part): boolean =>
    /^(param|env) /.test(label) && value.startsWith("secret ");
  if (parts.some(isSecret)) return undefined;
  const inputs = Object.values(task.inputs);
  if (inputs.some((input) => "generate" in input && input.generate !== undefined)) return undefined;
  const isPrivate = (output: { readonly private: boolean }): boolean => output.private;
  const needed = [...needs.values()].flatMap((id) => (id === undefined ? [] : [graph.get(id)]));
  if (outputs.some(isPrivate) || needed.some((need) => need?.outputs.some(isPrivate))) return undefined;
  return { task: task.name, variant: variant ?? "", parts };
}
