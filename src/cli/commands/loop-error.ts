/** The error for a build that would begin again for ever. */
import type { Loop } from "../../engine/index.ts";
import { UserError } from "../../errors/index.ts";

export function loopError({ task, path: file }: Loop): UserError {
  if (task === undefined) {
    return new UserError("each build changes a file that it reads", {
      code: "watch-loop",
      where: file,
      hint: "find the task that writes it, and make it write elsewhere",
    });
  }
  return new UserError(`${task} changes its own input on each run`, {
    code: "watch-loop",
    where: file,
    hint: "make it write only to its outputs and its scratch directory",
  });
}
