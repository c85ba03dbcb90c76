/**
 * Asks upstream again for what is pinned, and rewrites the lock: the one place where a pin is given up for another.
 * It builds no image, but needs the Core ISO: the names of some extensions depend on its kernel.
 */
import { readFile } from "node:fs/promises";
import path from "node:path";
import { type CommandContext, command, type Parameter } from "../src/engine/index.ts";
import { UsageError } from "../src/errors/index.ts";
import {
  type Artifact,
  type Change,
  describeChanges,
  isNamed,
  parseGemList,
  type SourceLock,
  unpin,
} from "../src/fetch/index.ts";
import { aptTools, aptVariables, debianArchitecture, readPackages } from "./convert-debs.ts";
import { updatePackagePins, type WantedPackage } from "./debian/distribution-packages.ts";
import { resolvePackages } from "./debian/package-resolution.ts";
import { planExtras } from "./fetch-extras.ts";
import { planGems } from "./fetch-gems.ts";
import { fetchIso, isoArtifact } from "./fetch-iso.ts";
import { readList, resolveExtensions } from "./fetch-tcz.ts";
import { readCoreFacts } from "./image/core-facts.ts";
import { readListing } from "./image/tree-listing.ts";
import { ownIndex, readIndex } from "./own-index.ts";
import { ownByName } from "./packaging/own-extensions.ts";
import { builtinList, gemList, mirrorList } from "./settings/project-options.ts";
import { type Source, sourceEnv, sourceParams, withSource } from "./source/index.ts";
import { kindOf } from "./source/kinds/index.ts";
import { readPins, writePins } from "./source/source-lock.ts";
import {
  gemServerUri,
  isoUrl,
  lockFile,
  mcollectiveUrl,
  openVmToolsUrl,
  rubyGemsUrl,
  sourcesFile,
} from "./source/source-options.ts";

export const update = command({
  name: "update",
  takes: "[NAME...]",
  description: "Check upstream for newer versions of pinned artifacts",
  group: "fetch",
  params: {
    ...sourceParams,
    lockFile,
    builtinList,
    mirrorList,
    gemList,
    isoUrl,
    gemServerUri,
    rubyGemsUrl,
    mcollectiveUrl,
    openVmToolsUrl,
  },
  async run(context) {
    const { print, words, value } = context;
    const { withoutUpstream } = kindOf(await value(sourceParams.source));
    if (withoutUpstream !== undefined) {
      print(withoutUpstream.update);
      return;
    }
    if (await value(sourceParams.offline)) {
      throw new UsageError("an update needs the network, which --offline forbids", {
        code: "update-offline",
        hint: "omit --offline",
      });
    }
    const changes = [
      ...(await updateIso(context, words)),
      ...(await updateRest(context, words)),
      ...(await updatePackages(context, words)),
    ];
    for (const line of describeChanges(changes)) print(line);
  },
});

const isIso = (name: string): boolean => name.endsWith(".iso");
const isDeb = (name: string): boolean => name.endsWith(".deb");

/** First of all: which kernel there is decides about extensions. */
async function updateIso(context: CommandContext, words: readonly string[]): Promise<readonly Change[]> {
  const url = await context.value(isoUrl);
  return await withOpened(context, async (opened) => {
    const artifact = isoArtifact(opened, url);
    const names = words.filter((word) => isNamed(artifact.name, undefined, word));
    if (words.length > 0 && names.length === 0) return [];
    return await applyUpdate(opened, [artifact], names, isIso);
  });
}

async function updateRest(context: CommandContext, words: readonly string[]): Promise<readonly Change[]> {
  const names = words.filter((word) => !isIso(word) && !isDeb(word));
  if (words.length > 0 && names.length === 0) return [];
  const { kernelRelease } = await readCoreFacts((await context.build(fetchIso)).core);
  const read = async (list: Parameter<string>) =>
    readList(path.resolve(context.workspace, await context.value(list)), context.note);
  // Every variant's extensions: none of them may lose its pins by the update of another.
  const wishes = {
    kernel: kernelRelease,
    own: ownByName(await readIndex((await context.build(ownIndex)).index), kernelRelease),
    builtin: await read(builtinList),
    mirrored: await read(mirrorList),
    exclude: [],
  };
  const list = await context.value(gemList);
  const gems = parseGemList(await readFile(path.resolve(context.workspace, list), "utf8"), list);
  const server = await context.value(gemServerUri);
  const urls = {
    rubyGemsUrl: await context.value(rubyGemsUrl),
    mcollectiveUrl: await context.value(mcollectiveUrl),
    openVmToolsUrl: await context.value(openVmToolsUrl),
  };
  return await withOpened(context, async (opened) => {
    // Resolved as if what is meant had never been pinned.
    const afresh = { ...opened, lock: unpin(opened.lock, names) };
    const { plan } = await resolveExtensions(afresh, wishes);
    const artifacts = [
      ...plan,
      ...(await planGems(afresh, gems, server)),
      ...planExtras(opened, urls).map(([, artifact]) => artifact),
    ];
    return await applyUpdate(opened, artifacts, names, (name) => !isIso(name) && !isDeb(name));
  });
}

/** Packages follow apt's lists: what these say is pinned, and downloaded when it is needed. */
async function updatePackages(context: CommandContext, words: readonly string[]): Promise<readonly Change[]> {
  const { value, workspace } = context;
  const names = words.filter(isDeb);
  if (words.length > 0 && names.length === 0) return [];
  const lists = [await value(builtinList), await value(mirrorList)].map((list) =>
    path.resolve(workspace, list),
  );
  const iso = await context.build(fetchIso);
  const { kernelRelease, initrd } = await readCoreFacts(iso.core);
  const listed = await readPackages(lists, kernelRelease);
  const core = await readListing(iso.listing);
  const lock = path.resolve(workspace, await value(lockFile));
  const source = await value(sourceParams.source);
  return await context.alone(async ({ shell }) => {
    const env = Object.fromEntries(aptVariables.flatMap((name) => entry(name, context.env[name])));
    const pins = readPins(lock, source);
    // Resolved as if what is meant had never been pinned. Without a package in the lists, apt is not needed.
    const { members, offered } =
      listed.length === 0
        ? { members: [], offered: [] }
        : await resolvePackages({
            $: await shell(aptTools, env),
            ...{ listed, core, pins: unpin(pins, names), architecture: debianArchitecture(initrd) },
            isBinding: false,
            atHand: undefined,
            mayFetch: () => true,
          });
    const find = async (meant: readonly WantedPackage[]) =>
      offered.filter(({ file }) => meant.some((one) => one.file === file));
    const { lines, changes } = await updatePackagePins(members, names, pins, find);
    writePins(lock, source, lines);
    return changes;
  });
}

async function withOpened<T>(context: CommandContext, use: (opened: Source) => Promise<T>): Promise<T> {
  const { value, workspace, signal, note } = context;
  const env = Object.fromEntries(sourceEnv.flatMap((name) => entry(name, context.env[name])));
  return await context.alone(async ({ scratch, blobs, progress, share }) =>
    withSource(
      {
        needs: {},
        inputs: {
          sources: path.join(workspace, sourcesFile),
          lock: path.resolve(workspace, await value(lockFile)),
        },
        params: {
          source: await value(sourceParams.source),
          mirrorUri: await value(sourceParams.mirrorUri),
          downloads: await value(sourceParams.downloads),
          downloadsPerServer: await value(sourceParams.downloadsPerServer),
          leastRate: await value(sourceParams.leastRate),
          indexLimit: await value(sourceParams.indexLimit),
          // An update is meant to change the lock.
          frozen: false,
          offline: false,
        },
        ...{ env, scratch, blobs, share, signal, progress, note },
      },
      use,
    ),
  );
}

function entry(name: string, value: string | undefined): readonly (readonly [string, string])[] {
  return value === undefined ? [] : [[name, value]];
}

/** Updates the part of the lock that `concerns` picks, and writes it; without names, all that it should hold. */
async function applyUpdate(
  opened: Source,
  plan: readonly Artifact[],
  names: readonly string[],
  concerns: (name: string) => boolean,
): Promise<readonly Change[]> {
  const lock: SourceLock = new Map([...opened.lock].filter(([name]) => concerns(name)));
  const { lines, changes } = await opened.update(plan, names, { lock, complete: names.length === 0 });
  opened.pin(lines);
  return changes;
}
