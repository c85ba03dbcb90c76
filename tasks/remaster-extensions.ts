/**
 * The extensions of a remastered Core: fetched, verified, and laid out in their three places, with what the Core ISO brings in its own
 * `cde/`.
 */
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { file, only, out, task } from "../src/engine/index.ts";
import { systemErrorCode, UserError } from "../src/errors/index.ts";
import {
  type ClosureItem,
  extensionArtifacts,
  formatOnboot,
  type ListEntry,
  loadExtensions,
  ownWins,
  parseExtensionList,
} from "../src/fetch/index.ts";
import { fetchIso } from "./fetch-iso.ts";
import { mergeCde } from "./image/core-cde.ts";
import { readCoreFacts } from "./image/core-facts.ts";
import { placeExtensions, refuseTwoPlaces, type Wishes } from "./image/extension-places.ts";
import { FetchedTimes } from "./image/fetched-times.ts";
import { type Fetched, placeExtension } from "./image/placed-extension.ts";
import { makeWanted, packagingInputs, packagingNeeds, packagingTools } from "./own-extensions.ts";
import { readIndex } from "./own-index.ts";
import { ownByName } from "./packaging/own-extensions.ts";
import type { ExtensionPlace, Located } from "./settings/ezremaster-file.ts";
import { limitParams, limitsOf } from "./settings/limit-options.ts";
import { extensionEntries } from "./settings/own-extensions.ts";
import { configuredExtensions } from "./settings/remaster-options.ts";
import { shownPath } from "./settings/shown-path.ts";
import { sourceEnv, sourceInputs, sourceNeeds, sourceParams, withSource } from "./source/index.ts";
import { lockInput } from "./source/source-lock.ts";
import { settingNames } from "./source/source-options.ts";

const list = (name: string) => file(`lists/${name}.lst`, { optional: true, byLine: true });

export const remasterExtensions = task({
  name: "remaster-extensions",
  description: "Fetch the extensions of a remastered Core, each for its place",
  internal: true,
  needs: { ...packagingNeeds, iso: only(fetchIso, "iso", "boot", "core", "listing"), ...sourceNeeds },
  inputs: {
    ...sourceInputs,
    ...packagingInputs,
    cdeOnboot: list("cde-onboot"),
    cdeOndemand: list("cde-ondemand"),
    builtinOnboot: list("initrd-onboot"),
    builtinOndemand: list("initrd-ondemand"),
    extracted: list("extract"),
    lock: lockInput((name) => /\.tcz(\.|$)/.test(name)),
  },
  params: { ...sourceParams, ...limitParams, configuredExtensions, extensionEntries },
  optionalTools: packagingTools,
  passEnv: sourceEnv,
  pool: "network",
  outputs: {
    /** What the ISO has beside its boot files: the image's `cde/`, and all that the Core ISO brings. */
    root: out.directory("root"),
    /** `onboot.lst` and `optional/`, for /tmp/builtin; empty without such extensions. */
    builtin: out.directory("builtin"),
    /** Extensions to unpack, and `order.json`: their file names, dependencies first. */
    extracted: out.directory("extracted"),
    /** For `readTimes`, by the path in the outputs: `builtin/optional/NAME.tcz`. */
    times: out.file("times.json"),
  },
  async run(context) {
    const { inputs, needs, outputs, params, scratch, note } = context;
    const { kernelRelease } = await readCoreFacts(needs.iso.core);
    const wishes = {
      cdeOnboot: await wishesFor("cdeOnboot", inputs.cdeOnboot, params.configuredExtensions, note),
      cdeOndemand: await wishesFor("cdeOndemand", inputs.cdeOndemand, params.configuredExtensions, note),
      builtinOnboot: await wishesFor(
        "builtinOnboot",
        inputs.builtinOnboot,
        params.configuredExtensions,
        note,
      ),
      builtinOndemand: await wishesFor(
        "builtinOndemand",
        inputs.builtinOndemand,
        params.configuredExtensions,
        note,
      ),
      extracted: await wishesFor("extracted", inputs.extracted, params.configuredExtensions, note),
    };
    refuseTwoPlaces(wishes);
    await withSource(context, async (opened) => {
      const { mirror, lock, policy, catalogue } = opened;
      const graph = await loadExtensions({
        builtin: Object.values(wishes).flat(),
        mirrored: [],
        kernel: kernelRelease,
        own: ownByName(await readIndex(needs.own.index), kernelRelease),
        settings: settingNames,
        ...{ mirror, lock, policy, catalogue },
      });
      const placed = placeExtensions(graph, wishes);
      for (const sentence of placed.notes) note(sentence);
      for (const [name, where] of graph.replaced ?? []) note(`${where}: ${ownWins(name)}`);
      const made = path.join(scratch, "own");
      await mkdir(made);
      const wanted = [...graph.nodes.values()].filter(({ isOwn }) => isOwn).map(({ name }) => name);
      if (wanted.length > 0) await makeWanted(wanted, made, context, opened);
      const inCde = unique([...placed.cdeOnboot, ...placed.cdeOndemand]);
      const inBuiltin = unique([...placed.builtinOnboot, ...placed.builtinOndemand]);
      const plan = extensionArtifacts(mirror, [...placed.extracted, ...inBuiltin, ...inCde]);
      const lines = await opened.fetch(plan);
      const times = new FetchedTimes(opened.kind.lock);
      const fetched = { place: opened.place, lines, debs: undefined, own: made, kernelRelease, note, times };

      await placeAll(placed.extracted, fetched, outputs.extracted, "extracted");
      const order = placed.extracted.map(({ name }) => name);
      await writeFile(path.join(outputs.extracted, "order.json"), `${JSON.stringify(order)}\n`);
      if (inBuiltin.length > 0) {
        const extracted = new Set(order);
        await placeAll(
          without(extracted, inBuiltin),
          fetched,
          path.join(outputs.builtin, "optional"),
          "builtin/optional",
        );
        await writeFile(path.join(outputs.builtin, "onboot.lst"), formatOnboot(placed.builtinOnboot));
      }
      const optional = path.join(scratch, "cde");
      const loaded = new Set([...placed.extracted, ...placed.builtinOnboot].map(({ name }) => name));
      await placeAll(without(loaded, inCde), fetched, optional, "cde/optional");
      const own = {
        files: new Map((await readdir(optional)).map((name) => [name, path.join(optional, name)])),
        onboot: placed.cdeOnboot.map(({ name }) => name),
      };
      await mergeCde(needs.iso.iso, outputs.root, own, { limits: limitsOf(params), elsewhere: loaded, note });
      await times.write(outputs.times);
    });
  },
});

/** The entries of a list (absolute path; it may not exist) and of the configuration, each name once. */
async function wishesFor(
  place: ExtensionPlace,
  listed: string,
  configured: Readonly<Record<ExtensionPlace, readonly Located[]>>,
  note: (message: string) => void,
): Promise<Wishes[ExtensionPlace]> {
  const text = await readFile(listed, "utf8").catch((error: unknown) => {
    if (systemErrorCode(error) === "ENOENT") return "";
    throw error;
  });
  const { entries, duplicates } = parseExtensionList(text, shownPath(listed));
  for (const { name, where } of duplicates) note(`${where}: ${name} is already listed`);
  const wishes = new Map<string, ListEntry>();
  for (const entry of [...entries, ...configured[place].flatMap(entryOf)]) {
    if (entry.kind === "deb") {
      throw new UserError(`${entry.name} is a package, and a remastered Core takes only extensions`, {
        code: "bad-extension-name",
        where: entry.where,
        hint: "write the file name of an extension, such as bash.tcz",
      });
    }
    if (wishes.has(entry.name)) note(`${entry.where}: ${entry.name} is already listed`);
    else wishes.set(entry.name, entry);
  }
  return [...wishes.values()];
}

/** A value of the configuration, checked as a line of a list is. */
function entryOf({ value, where }: Located): readonly ListEntry[] {
  return parseExtensionList(value, where).entries.map((entry) => ({ ...entry, where }));
}

function unique(items: readonly ClosureItem[]): readonly ClosureItem[] {
  return [...new Map(items.map((item) => [item.name, item])).values()];
}

/**
 * The items without dependencies on what is loaded before them, for their `.dep` files: these name only extensions beside them, so
 * that loading does not depend on whether tce-load looks for a dependency's file first, or for its mark in tce.installed.
 */
function without(loaded: ReadonlySet<string>, items: readonly ClosureItem[]): readonly ClosureItem[] {
  return items.map((item) => {
    if (item.kind === "deb") return item;
    const { node } = item;
    const deps = node.deps.filter((_, index) => !loaded.has(node.needs[index] ?? ""));
    return { ...item, node: { ...node, deps } };
  });
}

async function placeAll(
  items: readonly ClosureItem[],
  fetched: Fetched,
  directory: string,
  label: string,
): Promise<void> {
  await mkdir(directory, { recursive: true });
  for (const item of items) await placeExtension(item, fetched, [directory, label], []);
}
