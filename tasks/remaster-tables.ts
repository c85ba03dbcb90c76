/** The library and module tables of a remastered Core. */
import { only, task } from "../src/engine/index.ts";
import { fetchIso } from "./fetch-iso.ts";
import { deriveTables, tableOutputs, tableTools } from "./linker-tables.ts";
import { remasterOverlay } from "./remaster-overlay.ts";
import { remasterPayload } from "./remaster-payload.ts";

export const remasterTables = task({
  name: "remaster-tables",
  description: "Compute library and module tables if extensions or edits add to Core's",
  internal: true,
  needs: {
    core: only(fetchIso, "boot", "core"),
    payload: only(remasterPayload, "linked"),
    overlay: only(remasterOverlay, "linked"),
  },
  optionalTools: tableTools,
  outputs: tableOutputs,
  run: (context) => {
    const { core, payload, overlay } = context.needs;
    return deriveTables(core, [payload, overlay], context);
  },
});
