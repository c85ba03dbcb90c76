/** Makes the project's own extensions by themselves, to be tried or copied to another machine. */
import { cp, mkdir, readdir, rm } from "node:fs/promises";
import path from "node:path";
import { type CommandContext, command, out, param, task } from "../src/engine/index.ts";
import { didYouMean, UserError } from "../src/errors/index.ts";
import { fillKernel } from "../src/fetch/index.ts";
import { readCoreFacts } from "./image/core-facts.ts";
import {
  makeWanted,
  packagingInputs,
  packagingNeeds,
  packagingParams,
  packagingTools,
} from "./own-extensions.ts";
import { ownIndex, readIndex } from "./own-index.ts";
import { extensionsDirectory } from "./settings/own-extensions.ts";
import { to } from "./settings/to-option.ts";
import { sourceEnv } from "./source/index.ts";

/** Where they go without `--to`, relative to the workspace. */
const usualDirectory = "build-files/extensions";

export const extension = command({
  name: "extension",
  takes: "[NAME...]",
  description: "Make extensions of extensions/, with the files beside them (--to DIR)",
  group: "build",
  params: { ...packagingParams, to },
  async run(context) {
    const { words, value, workspace, cwd, build, show, note } = context;
    const names = await wantedNames(words, context);
    if (names.length === 0) {
      note(`${extensionsDirectory}/ has no extensions`);
      return;
    }
    const { extensions } = await build(namedExtensions(names));
    const given = await value(to);
    const directory = given === undefined ? path.join(workspace, usualDirectory) : path.resolve(cwd, given);
    await mkdir(directory, { recursive: true });
    const made = (await readdir(extensions)).sort();
    for (const name of made) {
      await rm(path.join(directory, name), { force: true });
      await cp(path.join(extensions, name), path.join(directory, name));
    }
    const shown = given ?? usualDirectory;
    const packed = made.filter((name) => name.endsWith(".tcz"));
    show(
      { directory, extensions: packed, files: made },
      packed.map((name) => path.join(shown, name)),
    );
  },
});

/**
 * The file names of the extensions that these words mean, all without any; `-KERNEL` is not filled in. The words may have `.tcz`.
 * @throws UserError `own-extension` for one that the project does not have
 */
export async function wantedNames(
  words: readonly string[],
  { build }: Pick<CommandContext, "build">,
): Promise<readonly string[]> {
  const known = (await readIndex((await build(ownIndex)).index)).map(({ name }) => name);
  for (const word of words) {
    if (known.includes(fileName(word))) continue;
    throw new UserError(`the project has no extension ${fileName(word)} of its own`, {
      code: "own-extension",
      where: extensionsDirectory,
      hint: didYouMean(fileName(word), known) ?? `put its files into ${extensionsDirectory}/${word}/tree/`,
    });
  }
  return words.length === 0 ? known : [...new Set(words.map(fileName))];
}

function fileName(word: string): string {
  return word.endsWith(".tcz") ? word : `${word}.tcz`;
}

/** The step that makes these extensions. It is made for one run of a command, and in no Taskfile. */
function namedExtensions(names: readonly string[]) {
  return task({
    name: "named-extensions",
    description: "Make some of the project's own extensions",
    internal: true,
    variants: "shared",
    needs: packagingNeeds,
    inputs: packagingInputs,
    params: {
      ...packagingParams,
      names: param.derived({ name: "extension-names", description: "wanted extensions", default: names }),
    },
    passEnv: sourceEnv,
    optionalTools: packagingTools,
    outputs: { extensions: out.directory("extensions") },
    async run(context) {
      const { needs, params, outputs } = context;
      const { kernelRelease } = await readCoreFacts(needs.iso.core);
      const wanted = params.names.map((name) => fillKernel(name, kernelRelease, extensionsDirectory));
      await makeWanted(wanted, outputs.extensions, context);
    },
  });
}
