/** Where the inputs of a bound task are. */
import type { Input } from "../define/declared-input.ts";
import { givenPath } from "../define/input-path.ts";
import { type AbsolutePath, resolveIn } from "../define/names.ts";
import type { BoundTask } from "./bound-task.ts";

/** The absolute path of an input: of the file, or of the folder that its patterns are relative to. */
export function inputPath(
  input: Input,
  { named }: Pick<BoundTask, "named">,
  workspace: AbsolutePath,
): AbsolutePath {
  return resolveIn(
    workspace,
    givenPath(input, ({ name }) => String(named.get(name))),
  );
}
