/** The library and module tables of the image of an old bundle, which its scripts would compute. Bundles of ours have theirs. */
import { only, task } from "../src/engine/index.ts";
import { deriveTables, tableOutputs, tableTools } from "./linker-tables.ts";
import { unpackBundle } from "./unpack-bundle.ts";

export const bundleTables = task({
  name: "bundle-tables",
  description: "Compute library and module tables if an old bundle adds to Core's",
  internal: true,
  variants: "shared",
  needs: { bundle: only(unpackBundle, "boot", "core", "linked") },
  optionalTools: tableTools,
  outputs: tableOutputs,
  run: (context) => deriveTables(context.needs.bundle, [context.needs.bundle], context),
});
