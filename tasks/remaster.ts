/** The ISO of a remastered Core: Core's initrd with the layers of the user's extensions and edits, and `cde/` beside it. */
import { only, out, task } from "../src/engine/index.ts";
import { fetchIso } from "./fetch-iso.ts";
import { joinInitrd, joinIso } from "./iso-joining.ts";
import { remasterOverlay } from "./remaster-overlay.ts";
import { remasterPayload } from "./remaster-payload.ts";
import { remasterTables } from "./remaster-tables.ts";
import { remasterTemplate } from "./remaster-template.ts";
import { remasterFile } from "./settings/remaster-options.ts";

export const remaster = task({
  name: "remaster",
  description: "Remaster Tiny Core: an ISO with your extensions, boot codes and files, and nothing else",
  group: "build",
  needs: {
    core: only(fetchIso, "boot"),
    payload: only(remasterPayload, "layer"),
    tables: only(remasterTables, "layer"),
    overlay: only(remasterOverlay, "layer"),
    template: remasterTemplate,
  },
  // Read by the defaults of other parameters.
  params: { remasterFile },
  outputs: { iso: out.artifact(({ variant }) => `build-files/remaster-${variant}.iso`) },
  async run({ needs, outputs, join, digest }) {
    const { core, payload, tables, overlay, template } = needs;
    const layers = [payload.layer, tables.layer, overlay.layer];
    const chunks = await joinInitrd({ core, layers, template });
    await joinIso({ ...chunks, template, description: undefined, join, digest }, outputs.iso);
  },
});
