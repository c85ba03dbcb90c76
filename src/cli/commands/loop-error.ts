/** What a user is told of a build that would begin again for ever. How that is noticed it does not know. */
import type { Loop } from "../../engine/index.ts";
import { UserError } from "../../errors/index.ts";

export function loopError({ task, path: file }: Loop): UserError {
  if (task === undefined) {
    return new UserError("the build goes round in circles: a file changes each time", {
      code: "watch-loop",
      where: file,
      hint: "find out which task writes it, and let it write elsewhere",
    });
  }
  return new UserError(`${task} changes its own input each time it runs`, {
    code: "watch-loop",
    where: file,
    hint: "let it write to its outputs or its scratch folder only",
  });
}
