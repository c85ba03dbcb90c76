/** Where the inputs of a bound task are. */
import type { Input } from "../define/declared-input.ts";
import { givenPath } from "../define/input-path.ts";
import { type AbsolutePath, resolveIn } from "../define/names.ts";
import type { BoundTask } from "./bound-task.ts";

/** The path of an input as it was declared, or the value of the option that names it: absolute or relative to the workspace. */
export function givenTo(input: Input, { named }: Pick<BoundTask, "named">): string {
  return givenPath(input, ({ name }) => String(named.get(name)));
}

/** The absolute path of an input: of the file, or of the directory that its patterns are relative to. */
export function inputPath(
  input: Input,
  bound: Pick<BoundTask, "named">,
  workspace: AbsolutePath,
): AbsolutePath {
  return resolveIn(workspace, givenTo(input, bound));
}
