/** Where a command puts what it makes. */
import { type Parameter, param } from "../../src/engine/index.ts";

export const to: Parameter<string | undefined> = param.optional({
  name: "to",
  description:
    "with extract and extensions: the directory, which must be empty or not exist; with extension: the directory; with store: a directory, or host:path by rsync over ssh",
  value: "DEST",
});
