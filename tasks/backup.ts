/** One archive of all that a rebuild needs without a network, and a project restored from it. */
import { existsSync, readdirSync } from "node:fs";
import { chmod, mkdir, mkdtemp, rename, rm, rmdir, stat } from "node:fs/promises";
import path from "node:path";
import { absolutePath, type CommandContext, command, digestFrom, State } from "../src/engine/index.ts";
import { shellWord, UsageError, UserError } from "../src/errors/index.ts";
import { contentSize, type FileTree, layOutTree } from "../src/formats/index.ts";
import { type BackupContents, readBackup, rebuildFile, writeBackup } from "./backup-archive.ts";
import { projectTree } from "./image/project-files.ts";
import { rebuildIso } from "./rebuild-iso.ts";
import { restore } from "./settings/backup-options.ts";
import { epoch, isoVersion } from "./settings/image-options.ts";
import { limitParams, limitsGiven } from "./settings/limit-options.ts";
import { kindOf } from "./source/kinds/index.ts";
import { readPins } from "./source/source-lock.ts";
import { lockFile, source } from "./source/source-options.ts";

export const backup = command({
  name: "backup",
  takes: "[DIRECTORY]",
  offers: "directories",
  description: "Archive the project with its downloads, or restore it (--restore FILE DIRECTORY)",
  group: "release",
  params: { isoVersion, epoch, restore, source, lockFile, ...limitParams },
  async run(context) {
    const [directory, ...more] = context.words;
    const file = await context.value(restore);
    if (more.length > 0 || (file === "") !== (directory === undefined)) {
      throw new UsageError("`backup` takes a directory if it restores, and nothing else", {
        code: "backup-usage",
        hint: "usage: task backup, or task backup --restore FILE DIRECTORY",
      });
    }
    if (directory === undefined) await makeBackup(context);
    else await restoreBackup(context, file, path.resolve(context.cwd, directory));
  },
});

async function makeBackup(context: CommandContext): Promise<void> {
  const { workspace, env, variant, value, note, print, alone, signal } = context;
  const version = await value(isoVersion);
  const mtime = Number(await value(epoch));
  const name = `build-files/rz_mk_${variant}-backup.${version}.tar`;
  const project = await projectTree(workspace, env, mtime);
  await refuseOutside(context, project);
  const wanted = await neededDownloads(context);
  const { configuration, left } = await rebuildConfiguration(context, version);
  await alone(async ({ blobs, scratch }) => {
    const missing = wanted.filter((digest) => !blobs.has(digest));
    if (missing.length > 0) {
      throw new UserError(`${missing.length} of ${wanted.length} downloads are not in the cache`, {
        code: "backup-incomplete",
        hint: "build the image first, with the same options",
      });
    }
    const downloads = new Map<string, { path: string; size: number }>();
    for (const digest of wanted) {
      const copy = path.join(scratch, digest);
      await blobs.copyOut(digest, copy);
      downloads.set(digest, { path: copy, size: (await stat(copy)).size });
    }
    const artifacts = await artifactsOf(workspace, variant, version);
    const archive = path.join(scratch, "backup.tar");
    await writeBackup({ project, downloads, artifacts, configuration, mtime }, archive, signal);
    await chmod(archive, 0o600);
    await mkdir(path.join(workspace, "build-files"), { recursive: true });
    await rename(archive, path.join(workspace, name));
    if (artifacts.size === 0) note(`no image of version ${version} is built, so the backup has none`);
  });
  if (left.length > 0) note(`a rebuild also needs ${left.join(" ")}, which no configuration file can set`);
  const { size } = await stat(path.join(workspace, name));
  print(`${name}  ${(size / 1e6).toFixed(1)} MB, ${wanted.length} downloads`);
}

/** Files that the build reads must be in the backup; packages are installed again, and the cache is made again. */
async function refuseOutside({ inputsOf, workspace }: CommandContext, project: FileTree): Promise<void> {
  for (const file of await inputsOf(rebuildIso)) {
    const name = path.relative(workspace, file);
    if (project.has(name) || /^(\.buildcache|node_modules)\//.test(name)) continue;
    throw new UserError("the build reads a file that is not part of the project", {
      code: "backup-incomplete",
      where: file,
      hint: "copy it into the project, and do not let git ignore it",
    });
  }
}

async function neededDownloads({ value, workspace, build }: CommandContext): Promise<readonly string[]> {
  const name = await value(source);
  const kind = kindOf(name);
  const wanted = new Set((await kind.downloads?.(build)) ?? []);
  const lock = path.resolve(workspace, await value(lockFile));
  if (kind.lock.pins === "binding" && existsSync(lock))
    for (const line of readPins(lock, name).values()) if (!("absent" in line)) wanted.add(line.sha256);
  return [...wanted].sort();
}

/** The last artifacts of this variant and version, by name. */
async function artifactsOf(
  workspace: string,
  variant: string,
  version: string,
): Promise<BackupContents["artifacts"]> {
  const directory = path.join(workspace, "build-files");
  const artifacts = new Map<string, { path: string; size: number }>();
  for (const name of existsSync(directory) ? readdirSync(directory).sort() : []) {
    const [, kind] = /^rz_mk_[a-z]+-(\w+)\./.exec(name) ?? [];
    const isWanted = name.startsWith(`rz_mk_${variant}-${kind}.${version}.`) && kind !== "backup";
    const status = await stat(path.join(directory, name));
    if (isWanted && status.isFile())
      artifacts.set(name, { path: path.join(directory, name), size: status.size });
  }
  return artifacts;
}

/** The text of `rebuild.conf`, and the options that have no key in such a file. */
async function rebuildConfiguration(
  { given, variant, value }: CommandContext,
  version: string,
): Promise<{ readonly configuration: string; readonly left: readonly string[] }> {
  const keys = new Map([
    ["MK_BUNDLE_TYPE", variant],
    ["MK_BUNDLE_ISO_VERSION", version],
    ["SOURCE_DATE_EPOCH", await value(epoch)],
    ["MK_BUNDLE_SOURCE", await value(source)],
  ]);
  const left: string[] = [];
  for (const { option, env, value: text } of await given()) {
    if (env !== undefined && text !== true) keys.set(env, text);
    else if (option !== "--restore") left.push(text === true ? option : `${option} ${text}`);
  }
  const lines = [...keys].map(([key, text]) => `${key}=${JSON.stringify(text)}\n`);
  return { configuration: `# The options of the build that was backed up.\n${lines.join("")}`, left };
}

async function restoreBackup(
  { value, print, cwd, signal }: CommandContext,
  file: string,
  target: string,
): Promise<void> {
  if (existsSync(target) && readdirSync(target).length > 0) {
    throw new UserError("the directory to restore into is not empty", {
      code: "not-empty",
      where: target,
      hint: "remove its contents, or name another directory",
    });
  }
  await mkdir(path.dirname(target), { recursive: true });
  const partial = await mkdtemp(`${target}.partial-`);
  try {
    await chmod(partial, 0o755);
    const scratch = path.join(partial, ".scratch");
    const { project, downloads } = await readBackup(file, scratch, await limitsGiven(value));
    await rm(scratch, { recursive: true, force: true });
    await layOutTree(project, partial);
    const state = new State(absolutePath(partial));
    state.prepare();
    await mkdir(state.temporaryRoot);
    for (const [digest, node] of downloads) {
      signal.throwIfAborted();
      if (node.type === "file")
        await state.store.receive(digestFrom(digest), contentSize(node.content), downloads.stream(digest));
    }
    if (existsSync(target)) await rmdir(target);
    await rename(partial, target);
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
  print(`restored the project in ${target}; next:`);
  print(`  cd ${shellWord(path.relative(cwd, target) || ".")} && npm ci`);
  print(`  npx task iso --config ${rebuildFile} --offline`);
}
