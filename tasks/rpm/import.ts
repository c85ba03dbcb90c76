/** Boot files of an installer, taken from a distribution's tree into the project. */
import { existsSync } from "node:fs";
import { cp, mkdir, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import path from "node:path";
import { type CommandContext, command } from "../../src/engine/index.ts";
import { systemReason, UsageError } from "../../src/errors/index.ts";
import { joinLocation, publicUrl, Transport } from "../../src/fetch/index.ts";
import { layOutTree, readIsoFiles } from "../../src/formats/index.ts";
import { limitParams, limitsGiven } from "../settings/limit-options.ts";
import { proxyVariables } from "../settings/proxy-variables.ts";
import { offline, source } from "../source/source-options.ts";
import { bootPaths, checkBootFiles, isBootFile, noTree, parseTreeinfo, unlistedFiles } from "./boot-files.ts";
import { sampleName } from "./repository-access.ts";
import { importedDirectory } from "./rpm-files.ts";
import { sampleRpm } from "./sample-rpm.ts";

export const importBoot = command({
  name: "import",
  takes: "FROM",
  offers: "directories",
  description: "Take the boot files of a distribution's tree: a directory, a URL or an ISO",
  group: "fetch",
  params: { source, offline, ...limitParams },
  async run(context) {
    const from = await sourceOf(context);
    const isUrl = isWeb(from);
    const label = isUrl ? publicUrl(from) : from;
    const directory = path.join(context.workspace, importedDirectory);
    const fresh = `${directory}.new`;
    await rm(fresh, { recursive: true, force: true });
    try {
      await mkdir(fresh);
      if (isUrl) await takeFromUrl(context, from, fresh);
      else await takeLocal(context, from, fresh);
      const names = await filesIn(fresh);
      const info = await readFile(path.join(fresh, ".treeinfo"), "utf8").catch(() => {
        throw noTree("there is no .treeinfo", label);
      });
      await checkBootFiles(fresh, names, parseTreeinfo(info, ".treeinfo"), label);
      await rm(directory, { recursive: true, force: true });
      await rename(fresh, directory);
      context.print(`${importedDirectory}/ has ${names.size} boot files of ${label}`);
    } finally {
      await rm(fresh, { recursive: true, force: true });
    }
  },
});

const isWeb = (from: string): boolean => /^https?:\/\//.test(from);

/** What was named: a URL, or an absolute path; without a name, the sample's files if that is the source. */
async function sourceOf({ words, value, cwd, build }: CommandContext): Promise<string> {
  const [from, ...more] = words;
  if (from === undefined && (await value(source)) === sampleName) return (await build(sampleRpm)).boot;
  if (from !== undefined && more.length === 0) return isWeb(from) ? from : path.resolve(cwd, from);
  throw new UsageError("`import` needs a distribution's tree", {
    code: "import-source",
    hint: "usage: task import DIRECTORY, task import URL, or task import FILE.iso",
  });
}

/** From a directory or an ISO (absolute path). */
async function takeLocal(context: CommandContext, from: string, target: string): Promise<void> {
  const status = await stat(from).catch((cause: unknown) => {
    throw noTree(`it cannot be read: ${systemReason(cause)}`, from);
  });
  if (status.isDirectory()) {
    for (const name of bootPaths) {
      const source = path.join(from, name);
      if (existsSync(source)) await cp(source, path.join(target, name), { recursive: true });
    }
    return;
  }
  const tree = await readIsoFiles(from, "all", await limitsGiven((limit) => context.value(limit)));
  // The catalogue is the ISO's own; another is made.
  for (const name of tree.paths()) if (!isBootFile(name) || name === "isolinux/boot.cat") tree.delete(name);
  await layOutTree(tree, target);
}

/** A URL has no listing: what .treeinfo names is taken, and what trees have without naming it. */
async function takeFromUrl(context: CommandContext, url: string, target: string): Promise<void> {
  const env = Object.fromEntries(
    proxyVariables.flatMap((name) => {
      const text = context.env[name];
      return text === undefined ? [] : [[name, text]];
    }),
  );
  const transport = new Transport({ env, offline: await context.value(offline), signal: context.signal });
  try {
    const take = async (name: string, optional: boolean): Promise<void> => {
      const file = path.join(target, name);
      await mkdir(path.dirname(file), { recursive: true });
      await transport.download({ name, url: joinLocation(url, name), kind: "any", optional, target: file });
    };
    await take(".treeinfo", false);
    const info = parseTreeinfo(await readFile(path.join(target, ".treeinfo"), "utf8"), ".treeinfo");
    const listed = new Set([...info.images, ...info.checksums.keys()].filter(isBootFile));
    for (const name of listed) await take(name, false);
    for (const name of unlistedFiles) if (!listed.has(name)) await take(name, true);
  } finally {
    await transport.close();
  }
}

async function filesIn(directory: string): Promise<ReadonlySet<string>> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  return new Set(
    entries
      .filter((entry) => entry.isFile())
      .map((entry) => path.relative(directory, path.join(entry.parentPath, entry.name))),
  );
}
