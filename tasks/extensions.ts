/** A mirror of the project's own extensions, with what they need of the source's mirror: a directory that `--source` reads. */
import { copyFile, cp, mkdir, readdir, rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { command, only, out, param, task } from "../src/engine/index.ts";
import { UsageError, UserError } from "../src/errors/index.ts";
import { coreFiles, extensionArtifacts, loadExtensions, orderExtensions } from "../src/fetch/index.ts";
import { type ExtensionFacts, formatIndexes } from "./debian/extension-metadata.ts";
import { wantedNames } from "./extension.ts";
import { fetchIso } from "./fetch-iso.ts";
import { readCoreFacts } from "./image/core-facts.ts";
import { FetchedTimes } from "./image/fetched-times.ts";
import { placeExtension } from "./image/placed-extension.ts";
import {
  makeWanted,
  packagingInputs,
  packagingNeeds,
  packagingParams,
  packagingTools,
} from "./own-extensions.ts";
import { readIndex } from "./own-index.ts";
import { describeMissingLibraries } from "./packaging/given-libraries.ts";
import { digestOf, readFacts } from "./packaging/made-extension.ts";
import { ownByName } from "./packaging/own-extensions.ts";
import { extensionsDirectory } from "./settings/own-extensions.ts";
import { to } from "./settings/to-option.ts";
import { sourceEnv, withSource } from "./source/index.ts";
import { lockInput } from "./source/source-lock.ts";
import { settingNames } from "./source/source-options.ts";

export const extensions = command({
  name: "extensions",
  takes: "[NAME...]",
  description: "Make a mirror of the own extensions and what they need, for --source (--to DIR)",
  group: "build",
  params: { ...packagingParams, to },
  async run(context) {
    const { words, value, cwd, build, show } = context;
    const given = await value(to);
    if (given === undefined || given === "") {
      throw new UsageError("`extensions` needs a directory", {
        code: "extension-usage",
        hint: "usage: task extensions [NAME...] --to DIR",
      });
    }
    const { mirror } = await build(mirrorOf(await wantedNames(words, context)));
    const directory = path.resolve(cwd, given);
    await placeMirror(mirror, directory);
    const names = (await readdir(mirror, { recursive: true })).filter((name) => name.endsWith(".tcz"));
    show({ directory, extensions: names.sort() }, [`${names.length} extensions in ${given}`]);
  },
});

/** Copies a mirror to a directory that is empty or does not exist, whole or not at all. */
async function placeMirror(mirror: string, directory: string): Promise<void> {
  const there = await readdir(directory).catch(() => []);
  if (there.length > 0) {
    throw new UserError("the directory for the mirror is not empty", {
      code: "not-empty",
      where: directory,
      hint: "remove its contents, or name another directory",
    });
  }
  await mkdir(path.dirname(directory), { recursive: true });
  const partial = `${directory}.partial-${process.pid}`;
  try {
    await cp(mirror, partial, { recursive: true });
    await rm(directory, { recursive: true, force: true });
    await rename(partial, directory);
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
}

/** The step that makes a mirror of these extensions. It is made for one run of a command, and in no Taskfile. */
function mirrorOf(names: readonly string[]) {
  return task({
    name: "extension-mirror",
    description: "Make a mirror of the project's own extensions",
    internal: true,
    variants: "shared",
    needs: {
      ...packagingNeeds,
      iso: only(fetchIso, "iso", "boot", "core", "listing"),
    },
    inputs: {
      ...packagingInputs,
      lock: lockInput((name) => /\.tcz(\.|$)/.test(name)),
    },
    params: {
      ...packagingParams,
      names: param.derived({ name: "extension-names", description: "wanted extensions", default: names }),
    },
    passEnv: sourceEnv,
    optionalTools: packagingTools,
    pool: "network",
    outputs: { mirror: out.directory("mirror") },
    async run(context) {
      const { $, needs, outputs, params, note } = context;
      const { kernelRelease } = await readCoreFacts(needs.iso.core);
      const own = ownByName(await readIndex(needs.own.index), kernelRelease);
      const roots = params.names.map((name) => ({ name, kind: "tcz", where: extensionsDirectory }) as const);
      await withSource(context, async (opened) => {
        const { mirror, lock, policy, catalogue } = opened;
        const sources = { mirror, lock, policy, catalogue, settings: settingNames };
        const graph = await loadExtensions({
          ...sources,
          ...{ builtin: roots, mirrored: [], own, kernel: kernelRelease },
        });
        const closure = orderExtensions(graph);
        for (const { where, message } of closure.warnings) note(`${where}: ${message}`);
        const plan = extensionArtifacts(mirror, closure.builtin, closure.builtin);
        const lines = await opened.fetch(plan);
        const base = path.join(outputs.mirror, mirror.release, mirror.arch);
        const tcz = path.join(base, "tcz");
        await mkdir(tcz, { recursive: true });
        const wanted = [...graph.nodes.values()].filter(({ isOwn }) => isOwn).map(({ name }) => name);
        const made = await makeWanted(wanted, tcz, context, opened);
        for (const sentence of await describeMissingLibraries($, made, [tcz], kernelRelease)) note(sentence);
        const times = new FetchedTimes(opened.kind.lock);
        const fetched = { place: opened.place, lines, debs: undefined, kernelRelease, note, times };
        for (const item of closure.builtin)
          await placeExtension(item, fetched, [tcz, "tcz"], [".info", ".list"]);
        const facts: ExtensionFacts[] = [];
        for (const { name, deps } of graph.nodes.values())
          facts.push(await readFacts($, path.join(tcz, name), deps));
        const sorted = facts.sort((a, b) => (a.name < b.name ? -1 : 1));
        for (const [name, bytes] of formatIndexes(sorted)) await writeFile(path.join(tcz, name), bytes);
        await placeIso(needs.iso.iso, path.join(base, "release", coreFiles(mirror.arch).iso));
      });
    },
  });
}

/** Copies the Core ISO, with its md5 beside it. */
async function placeIso(iso: string, target: string): Promise<void> {
  await mkdir(path.dirname(target));
  await copyFile(iso, target);
  await writeFile(`${target}.md5.txt`, `${await digestOf(target, "md5")}  ${path.basename(target)}\n`);
}
