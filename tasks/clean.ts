/** Removes what builds made. */
import { command, type Parameter, param } from "../src/engine/index.ts";

const all: Parameter<boolean> = param.switch({
  name: "all",
  description: "with clean: empty the cache, too",
  default: false,
});

export const clean = command({
  name: "clean",
  description: "Delete bundles, ISOs and intermediate files (--all: and the cache)",
  group: "build",
  params: { all },
  run: async ({ value, print, removeProducts }) => {
    const removed = await removeProducts({ all: await value(all) });
    for (const name of removed) print(`removed ${name}`);
    if (removed.length === 0) print("nothing to remove");
  },
});
