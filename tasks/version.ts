/** The version that a build would have, and setting it by hand. */
import { command, type Parameter, param } from "../src/engine/index.ts";
import { UsageError } from "../src/errors/index.ts";
import { isoVersion, versionGiven } from "./settings/image-options.ts";
import { versionFile, writeVersionFile } from "./settings/version-file.ts";
import { nextVersion, versionParts } from "./settings/version-form.ts";

const set: Parameter<string> = param.text({
  name: "set",
  description: "with version: write this version to VERSION, which takes precedence over git describe",
  value: "VERSION",
  default: "",
  parse: versionGiven,
});

const bump: Parameter<string> = param.choice({
  name: "bump",
  description: "with version: set the next version, with this part raised",
  value: "PART",
  choices: versionParts,
  default: "",
});

export const version = command({
  name: "version",
  description: "Print the version that a build would have, or set it (--set, --bump)",
  group: "look",
  params: { isoVersion, set, bump },
  run: async ({ value, print, note, workspace }) => {
    const [given, part] = [await value(set), await value(bump)];
    if (given !== "" && part !== "")
      throw new UsageError("--set and --bump exclude each other", {
        code: "option-conflict",
        hint: "use --set for a version by name, or --bump for the next one",
      });
    const raised = versionParts.find((one) => one === part);
    const next = raised === undefined ? given : nextVersion(await value(isoVersion), raised);
    if (next !== "") {
      writeVersionFile(workspace, next);
      note(`${versionFile} takes precedence over git describe; commit it, or delete it to use git's version`);
    }
    print(next === "" ? await value(isoVersion) : next);
  },
});
