/** What `task backup` does: make one, or restore one. */
import { type Parameter, param } from "../../src/engine/index.ts";

export const restore: Parameter<string> = param.path({
  name: "restore",
  description: "with backup: restore the project of this backup into a directory",
  value: "FILE",
  default: "",
});
