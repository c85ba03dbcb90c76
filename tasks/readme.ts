/** README of the ISO, as a build would render it; with --edit its template is edited. */
import path from "node:path";
import { command } from "../src/engine/index.ts";
import { UserError } from "../src/errors/index.ts";
import { imageReadme } from "./image/readme.ts";
import { imageContents } from "./image-contents.ts";
import { rebuildIso } from "./rebuild-iso.ts";
import { edit, editFile } from "./settings/editing.ts";
import { epoch, isoVersion } from "./settings/image-options.ts";
import { firstReadme, readmeFile } from "./settings/readme.ts";

export const readme = command({
  name: "readme",
  description: "Print README of the ISO, rendered from image-src/README, or edit it (--edit)",
  group: "release",
  params: { edit, isoVersion, epoch },
  async run(context) {
    const { value, workspace, variant, print, build } = context;
    if (await value(edit)) return await editFile(context, readmeFile, firstReadme, rebuildIso);
    const { list } = await build(imageContents);
    const text = await imageReadme(path.join(workspace, readmeFile), list, {
      version: await value(isoVersion),
      variant,
      epoch: Number(await value(epoch)),
    });
    if (text === undefined) {
      throw new UserError("the project has no template of README, so its images have none", {
        code: "readme-missing",
        where: readmeFile,
        hint: "task readme --edit begins one",
      });
    }
    for (const line of text.replace(/\n$/, "").split("\n")) print(line);
  },
});
