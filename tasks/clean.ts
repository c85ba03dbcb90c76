/** Removes what builds made. */
import { command } from "../src/engine/index.ts";
import { all } from "./settings/options.ts";

export const clean = command({
  name: "clean",
  description: "Delete bundles, ISOs and intermediate files (--all: the cache too)",
  params: { all },
  run: async ({ value, print, removeProducts }) => {
    const removed = await removeProducts({ all: await value(all) });
    for (const name of removed) print(`removed ${name}`);
    if (removed.length === 0) print("nothing to remove");
  },
});
