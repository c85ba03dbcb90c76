/**
 * The extensions: what the two lists ask for and what that needs, fetched, verified and laid out as the image has
 * them. Production images get neither openssh nor what only openssh needs.
 */

import { mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { file, out, task, whenText } from "../src/engine/index.ts";
import { UserError } from "../src/errors/index.ts";
import {
  type Artifact,
  type Closure,
  type ClosureItem,
  type ExtensionGraph,
  extensionArtifacts,
  formatOnboot,
  type ListEntry,
  loadExtensions,
  type OwnExtension,
  orderExtensions,
  parseExtensionList,
  type Wanted,
} from "../src/fetch/index.ts";
import { readIsoTree } from "../src/formats/index.ts";
import { convertDebs, namesPackages } from "./convert-debs.ts";
import { fetchIso } from "./fetch-iso.ts";
import { extensionOf, readConverted, withDependencies } from "./image/converted-packages.ts";
import { readCoreFacts } from "./image/core-facts.ts";
import { FetchedTimes } from "./image/fetched-times.ts";
import { describeLeftOut } from "./image/left-out.ts";
import { type Fetched, type Place, placeExtension } from "./image/placed-extension.ts";
import { describeSetIdFiles } from "./image/set-id.ts";
import { ownIndex, readIndex } from "./own-index.ts";
import { ownByName } from "./packaging/own-extensions.ts";
import { extensionEntries, extensionsDirectory, ownNames } from "./settings/own-extensions.ts";
import { builtinList, mirrorList } from "./settings/project-options.ts";
import { shownPath } from "./settings/shown-path.ts";
import { developmentOnly, developmentPins } from "./source/development-pins.ts";
import {
  type Source,
  sourceEnv,
  sourceInputs,
  sourceNeeds,
  sourceParams,
  withSource,
} from "./source/index.ts";
import { kindOf } from "./source/kinds/index.ts";
import { lockInput } from "./source/source-lock.ts";
import { settingNames } from "./source/source-options.ts";

const utilLinux = "util-linux.tcz";

export const fetchTcz = task({
  name: "fetch-tcz",
  description: "Fetch and verify the builtin and mirror extensions",
  group: "fetch",
  needs: {
    iso: fetchIso,
    own: ownIndex,
    ...sourceNeeds,
    debs: whenText([builtinList, mirrorList], namesPackages, convertDebs),
  },
  inputs: {
    ...sourceInputs,
    builtin: file(builtinList, { byLine: true }),
    mirror: file(mirrorList, { byLine: true }),
    lock: lockInput(
      (name) => /\.tcz(\.|$)/.test(name),
      (pins, value, { variant, read }) => {
        const lists = [read(value(builtinList)), read(value(mirrorList))];
        return variant === "prod" && lists.every((text) => text !== undefined)
          ? developmentPins(pins, lists)
          : new Set();
      },
    ),
  },
  params: { ...sourceParams, extensionEntries },
  passEnv: sourceEnv,
  pool: "network",
  // Lists the files of a production image's extensions; without it no image can be built, as extract-util-linux needs it.
  optionalTools: ["unsquashfs"],
  outputs: {
    builtin: out.directory("builtin"),
    mirror: out.directory("mirror"),
    utilLinux: out.file(utilLinux),
    /** The project's own extensions, and where they go in the image: an array of `OwnPlace`. */
    own: out.file("own.json"),
    /** When each of them was made, for `readTimes`, by its path in the directories above: `builtin/optional/NAME.tcz`. */
    times: out.file("times.json"),
  },
  async prefetch(context) {
    // A mirror that is made here may not be there yet, and is not far.
    if (kindOf(context.params.source).needs !== undefined) return;
    const { inputs, variant } = context;
    await withSource({ ...context, needs: {} }, async (opened) => {
      const unresolved: Wanted[] = [];
      const { plan } = await resolveExtensions(opened, {
        kernel: undefined,
        own: new Map(ownNames(context.params.extensionEntries).map((name) => [name, unknownOwn])),
        builtin: await readList(inputs.builtin),
        mirrored: await readList(inputs.mirror),
        exclude: variant === "prod" ? developmentOnly : [],
        onUnpinned: (wanted) => unresolved.push(wanted),
      });
      const missing = [...unresolved, ...(await opened.blocked(plan))];
      // Without the Core ISO the task itself will not run, so its missing files are reported here.
      if (missing.length > 0 && !hasIso(opened))
        context.note(`also missing, for fetch-tcz: ${namesOf(missing)}`);
      const allowed = plan.filter((artifact) => opened.mayFetch(artifact));
      if (allowed.length > 0) await opened.fetch(allowed);
    });
  },
  async run(context) {
    const { inputs, needs, outputs, variant, note } = context;
    const { kernelRelease } = await readCoreFacts(needs.iso.core);
    const label = await readFile(needs.iso.label, "utf8");
    const leftOut = describeLeftOut(await readIsoTree(needs.iso.iso), label, shownPath(inputs.builtin));
    if (leftOut !== undefined) note(leftOut);
    await withSource(context, async (opened) => {
      const unresolved: Wanted[] = [];
      const { closure, plan } = await resolveExtensions(opened, {
        kernel: kernelRelease,
        own: ownByName(await readIndex(needs.own.index), kernelRelease),
        builtin: await readList(inputs.builtin, note),
        mirrored: await readList(inputs.mirror, note),
        exclude: variant === "prod" ? developmentOnly : [],
        onUnpinned: (wanted) => {
          if (!unresolved.some(({ name }) => name === wanted.name)) unresolved.push(wanted);
        },
      });
      for (const warning of closure.warnings) note(`${warning.where}: ${warning.message}`);
      const lines = await opened.fetch(plan, unresolved);
      const times = new FetchedTimes(opened.kind.lock);
      const place = opened.place;
      const fetched = { place, lines, debs: needs.debs?.extensions, kernelRelease, note, times };
      const converted = await readConverted(needs.debs?.extensions);
      const builtin = withDependencies(closure.builtin, converted);
      const mirror = withDependencies(closure.mirror, converted, new Set(builtin.map(extensionOf)));
      await placeBuiltin(builtin, fetched, outputs.builtin);
      await placeMirror(opened, mirror, fetched, outputs.mirror);
      const own: readonly OwnPlace[] = [
        ...ownPlaces(builtin, "tmp/builtin/optional", []),
        ...ownPlaces(mirror, `tmp/tinycorelinux/${mirrorPath(opened)}`, [".info", ".list"]),
      ];
      await writeFile(outputs.own, `${JSON.stringify(own, undefined, 1)}\n`);
      if (variant === "prod" && !context.missingTools.includes("unsquashfs")) {
        for (const directory of [outputs.builtin, outputs.mirror])
          for (const sentence of await describeSetIdFiles(context.$, directory)) note(sentence);
      }
      await opened.place(lines.get(utilLinux), outputs.utilLinux);
      times.add(utilLinux, lines.get(utilLinux));
      await times.write(outputs.times);
    });
  },
});

/** Until it is read what an own extension needs. */
const unknownOwn = { deps: [], where: extensionsDirectory } as const;

/** Where an own extension goes. */
export interface OwnPlace {
  /** File name. */
  readonly name: string;
  /** Directory in the image, and the suffixes of the files that go there with it. */
  readonly directory: string;
  readonly sidecars: readonly string[];
}

function ownPlaces(
  items: readonly ClosureItem[],
  directory: string,
  sidecars: readonly string[],
): readonly OwnPlace[] {
  return items.flatMap((item) =>
    item.kind === "tcz" && item.node.isOwn
      ? [{ name: item.name, directory, sidecars: [".md5.txt", ".dep", ...sidecars] }]
      : [],
  );
}

/** Whether a pinned Core ISO is in the cache. */
function hasIso({ lock, has }: Pick<Source, "lock" | "has">): boolean {
  return [...lock].some(([name, line]) => name.endsWith(".iso") && has(line));
}

/** `bash.tcz (lists/builtin.lst:1), ncurses.tcz (…)`, each once. */
function namesOf(wanted: readonly Wanted[]): string {
  return [
    ...new Set(wanted.map(({ name, where }) => (where === undefined ? name : `${name} (${where})`))),
  ].join(", ");
}

/** What is asked for: the two lists as they were read, and what a variant leaves out. */
interface ExtensionWishes {
  /** The kernel's release; while it is not known, all that depends on it is left out. */
  readonly kernel: string | undefined;
  readonly own: ReadonlyMap<string, OwnExtension>;
  readonly builtin: readonly ListEntry[];
  readonly mirrored: readonly ListEntry[];
  readonly exclude: readonly string[];
  readonly onUnpinned?: (wanted: Wanted) => void;
}

/** The extensions of an image in their order, and the files to fetch for them and for util-linux. */
export async function resolveExtensions(
  opened: Pick<Source, "mirror" | "lock" | "policy" | "catalogue">,
  { exclude, ...wishes }: ExtensionWishes,
): Promise<{ readonly closure: Closure; readonly plan: readonly Artifact[] }> {
  const { mirror, lock, policy, catalogue } = opened;
  const anyKernel = wishes.kernel === undefined;
  const common = { ...wishes, mirror, lock, policy, catalogue, anyKernel, settings: settingNames };
  const kept = (entries: readonly ListEntry[]) => entries.filter(({ name }) => !exclude.includes(name));
  // What is left out is not even asked for: a variant without it needs no pin of it.
  const graph = await loadExtensions({
    ...common,
    builtin: kept(wishes.builtin),
    mirrored: kept(wishes.mirrored),
  });
  const closure = orderExtensions(graph, { exclude });
  // Only files are taken out of it: what it depends on is neither fetched nor pinned.
  const tools = await loadExtensions({
    ...common,
    own: new Map(),
    follow: false,
    builtin: [{ name: utilLinux, kind: "tcz", where: "lists/util-linux-exec.lst" }],
    mirrored: [],
  });
  const items = [...closure.builtin, ...orderExtensions(tools).builtin];
  // With parts left out it is not sure what goes to the mirror. What only goes there in production is pinned with the
  // rest, so that a lock that was made in development is whole.
  const mirrored = graph.isWhole
    ? [...closure.mirror, ...(exclude.length === 0 ? mirroredInProduction(graph) : [])]
    : [];
  const plan = extensionArtifacts(mirror, items, mirrored);
  return { closure, plan };
}

function mirroredInProduction(graph: ExtensionGraph): readonly ClosureItem[] {
  try {
    return orderExtensions(graph, { exclude: developmentOnly }).mirror;
  } catch (error) {
    // There is no production image of these lists: that is said when one is asked for.
    if (error instanceof UserError && error.code === "excluded-dependency") return [];
    throw error;
  }
}

/** Reads the list at an absolute path; its lines are named as the user would name them. */
export async function readList(list: string, note: (message: string) => void = () => undefined) {
  const label = shownPath(list);
  const { entries, duplicates } = parseExtensionList(await readFile(list, "utf8"), label);
  for (const { name, where } of duplicates) note(`${where}: ${name} is already listed`);
  return entries;
}

/** `tmp/builtin` of the image: `onboot.lst` and `optional/`. */
async function placeBuiltin(
  items: readonly ClosureItem[],
  fetched: Fetched,
  directory: string,
): Promise<void> {
  const optional = path.join(directory, "optional");
  await mkdir(optional);
  for (const item of items) await placeExtension(item, fetched, [optional, "builtin/optional"], []);
  await writeFile(path.join(directory, "onboot.lst"), formatOnboot(items));
}

/** The directory of the extensions in a mirror. */
function mirrorPath({ mirror }: Pick<Source, "mirror">): string {
  return path.posix.join(mirror.release, mirror.arch, "tcz");
}

/** `tmp/tinycorelinux` of the image, below its release and architecture. */
async function placeMirror(
  opened: Source,
  items: readonly ClosureItem[],
  fetched: Fetched,
  directory: string,
): Promise<void> {
  const within = mirrorPath(opened);
  const tcz = path.join(directory, within);
  await mkdir(tcz, { recursive: true });
  const place: Place = [tcz, `mirror/${within}`];
  for (const item of items) await placeExtension(item, fetched, place, [".info", ".list"]);
}
