/** Where the image's own files and lists come from: this project, or somebody's with the layout of the old scripts. */
import { type Dirent, readdirSync, statSync } from "node:fs";
import path from "node:path";
import { file, type Parameter, type ParameterHost, param } from "../../src/engine/index.ts";
import { meaningfulModes, octal, readDiskModes, unexplainedModes } from "./disk-modes.ts";
import { findInOldProject, gemSettings, isOldProject, unusedDirectories } from "./old-project.ts";

const ownOverlay = "overlay-src";

/** The image's files: a directory laid out as its root, or somebody's project with the layout of the old scripts. */
export const overlayDirectory: Parameter<string> = param.path({
  name: "overlay",
  env: "MK_BUNDLE_OVERLAY",
  description: "directory with the image's files, or a project of the old scripts (default: overlay-src)",
  value: "DIR",
  default: ownOverlay,
});

/**
 * Directories of the overlay that hold nothing, relative to it: the image has them too, and no file of theirs tells that. In byte
 * order. Of an old project only files are taken.
 */
export const emptyDirectories: Parameter<readonly string[]> = param.derived({
  name: "empty-directories",
  description: "empty directories of the overlay",
  default: async (host) => {
    const root = path.resolve(host.root, await host.value(overlayDirectory));
    const directories: string[] = [];
    const empty = isOldProject(root) ? [] : emptyDirectoriesIn(root, "", directories);
    host.dependsOn("overlay directories", async () => ({ paths: [root, ...directories], isWhole: true }));
    return empty;
  },
});

/**
 * Modes on disk that count although git does not keep them, by path relative to the overlay. Of a directory laid out as the image's
 * root, these are the ones to report; of an old project, all that differ from what most of its files have.
 */
export const overlayModes: Parameter<readonly string[]> = param.derived({
  name: "overlay-modes",
  description: "modes of the overlay's files",
  default: async (host) => {
    const root = path.resolve(host.root, await host.value(overlayDirectory));
    const modes = readDiskModes(root, new Set(unusedDirectories));
    const directories = modes.filter(({ type }) => type === "directory").map(({ path: name }) => name);
    const paths = [root, ...directories.map((name) => path.join(root, name))];
    host.dependsOn("overlay modes", async () => ({ paths, isWhole: true }));
    const around = statSync(root, { throwIfNoEntry: false })?.mode ?? 0;
    const counted = isOldProject(root) ? unexplainedModes(modes) : meaningfulModes(modes, around);
    return counted.map(({ path: name, mode }) => `${octal(mode)} ${name}`);
  },
});

/** Modes by path, from the value of `overlayModes`. */
export function modesByPath(value: readonly string[]): ReadonlyMap<string, number> {
  return new Map(value.map((text) => [text.slice(5), Number.parseInt(text.slice(0, 4), 8)]));
}

/** The empty ones below a directory, in byte order; `seen` gets the absolute path of each that was looked into. */
function emptyDirectoriesIn(root: string, below: string, seen: string[]): readonly string[] {
  const directory = path.join(root, below);
  const entries = entriesOf(directory);
  seen.push(directory);
  if (entries.length === 0) return below === "" ? [] : [below];
  return entries
    .filter((entry) => entry.isDirectory() && entry.name !== ".git")
    .flatMap((entry) => emptyDirectoriesIn(root, path.join(below, entry.name), seen))
    .sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
}

/** None for a directory that is not there or cannot be read: the step that packs it reports that. */
function entriesOf(directory: string): readonly Dirent[] {
  try {
    return readdirSync(directory, { withFileTypes: true });
  } catch {
    return [];
  }
}

/** A file of the old project that is built, where it has one; else one of this project. */
export const fileOf =
  (inOldProject: string, otherwise: string) =>
  async (host: ParameterHost): Promise<string> => {
    const directory = await givenOverlay(host);
    return directory === undefined ? otherwise : (findInOldProject(directory, inOldProject) ?? otherwise);
  };

/** Whether an old project is built, and has none of these files. */
export const isOldProjectWithout =
  (names: readonly string[]) =>
  async (host: ParameterHost): Promise<boolean> => {
    const directory = await givenOverlay(host);
    if (directory === undefined || !isOldProject(directory)) return false;
    return names.every((name) => findInOldProject(directory, name) === undefined);
  };

/** Absolute path of the overlay, unless it is this project's own. */
async function givenOverlay(host: ParameterHost): Promise<string | undefined> {
  const named = await host.value(overlayDirectory);
  if (named === ownOverlay) return undefined;
  // A project's layout shows in more than one place.
  host.dependsOn("overlay project", async () => ({ paths: [], isWhole: false }));
  return path.resolve(host.root, named);
}

const listOption = (options: {
  readonly name: string;
  readonly short?: string;
  readonly env: string;
  readonly description: string;
  readonly list: string;
  readonly inOldProject: string;
}): Parameter<string> =>
  param.path({
    ...options,
    description: `${options.description} (default: ${options.list})`,
    value: "FILE",
    lookIn: overlayDirectory,
    default: fileOf(options.inOldProject, options.list),
  });

export const builtinList = listOption({
  name: "builtin-list",
  short: "b",
  env: "MK_BUNDLE_BUILTIN_LIST",
  description: "extensions loaded at boot",
  list: "lists/builtin-extensions.lst",
  inOldProject: "additional-build-files/builtin-extensions.lst",
});
export const mirrorList = listOption({
  name: "mirror-list",
  short: "m",
  env: "MK_BUNDLE_MIRROR_LIST",
  description: "extensions of the image's own mirror",
  list: "lists/mirror-extensions.lst",
  inOldProject: "additional-build-files/mirror-extensions.lst",
});
export const gemList = listOption({
  name: "gem-list",
  env: "MK_BUNDLE_GEM_LIST",
  description: "gems of the image",
  list: "lists/gem.list",
  inOldProject: "opt/gems/gem.list",
});
export const utilLinuxList = listOption({
  name: "util-linux-list",
  env: "MK_BUNDLE_UTIL_LINUX_LIST",
  description: "files to extract from util-linux.tcz",
  list: "lists/util-linux-exec.lst",
  inOldProject: "additional-build-files/util-linux-exec.lst",
});

/** Whether the image has a gem mirror: that of an old project which has settings for one. */
export const hasGemMirror: Parameter<boolean> = param.derived({
  name: "gem-mirror",
  description: "whether the image has a gem mirror",
  default: async (host) => (await fileOf(gemSettings, "")(host)) !== "",
});

/** Setup tarballs of an old project, which take the place of ours. Elsewhere this directory does not exist. */
export const setupDirectory: Parameter<string> = param.derived({
  name: "setup-directory",
  description: "directory with setup tarballs",
  default: async (host) => path.join(await host.value(overlayDirectory), "additional-build-files"),
});

/** The texts that an ISO and a bundle carry: of the old project that is built, where it has them. */
export const copyingText = file(textOf("COPYING"));
export const license = file(textOf("LICENSE"));

function textOf(name: string): Parameter<string> {
  return param.derived({
    name: `${name.toLowerCase()}-file`,
    description: `${name} of the image`,
    default: fileOf(name, name),
  });
}
