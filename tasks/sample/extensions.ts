/**
 * The sample source's extensions: packages unpacked, arranged for Tiny Core and packed, with all that a mirror has
 * beside them.
 */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { UserError } from "../../src/errors/index.ts";
import { layOutTree, packSquashfs, readDebControl, readDebFiles } from "../../src/formats/index.ts";
import { mapParallel, type Shell } from "../../src/host/index.ts";
import {
  copyrightLicences,
  type ExtensionFacts,
  formatIndexes,
  formatSidecars,
} from "../debian/extension-metadata.ts";
import type { PackagePlan, PlannedPackage } from "../debian/packages.ts";
import { catalogue } from "./extension-catalogue.ts";
import { arrangeExtensions, type PlannedExtension, settleDependencies } from "./extension-graph.ts";
import { addInstalledScript, addText, extensionPolicy, movePackage, settleTree } from "./extension-tree.ts";
import { stageKernelModules } from "./kernel-modules.ts";

export interface BuildOptions {
  readonly $: Shell;
  readonly plan: PackagePlan;
  /** Absolute path of each package's file, by package name. */
  readonly downloads: Readonly<Record<string, string>>;
  /** Absolute; intermediate trees, left empty. */
  readonly workDir: string;
  /** Absolute; where the mirror's directories are made. */
  readonly outDir: string;
  /** Seconds since 1970: the time of every file. */
  readonly epoch: number;
  readonly signal?: AbortSignal;
  readonly log?: (line: string) => void;
}

/** Where extensions lie in the mirror. */
const extensionDirectory = "14.x/x86_64/tcz";

/** An extension that was packed, before it is settled what it needs. */
export type PackedExtension = Omit<ExtensionFacts, "depends">;

/**
 * Writes every extension of the catalogue and of its closure, the modules extension of the base's kernel, and the
 * indexes to `<outDir>/14.x/x86_64/tcz`. Returns what was made, in byte order of the names.
 */
export async function buildExtensions(options: BuildOptions): Promise<readonly ExtensionFacts[]> {
  const { plan, outDir, workDir, epoch, signal, log } = options;
  const directory = join(outDir, extensionDirectory);
  await mkdir(directory, { recursive: true });
  await mkdir(workDir, { recursive: true });

  const planned = arrangeExtensions(plan, catalogue);
  // mksquashfs uses one processor (its output depends on the number), so several run side by side.
  const jobs: readonly (() => Promise<PackedExtension | undefined>)[] = [
    () => buildModules(options, directory),
    ...planned.map((extension) => () => buildExtension(options, extension, directory)),
  ];
  const results = await mapParallel(jobs, 3, (job) => job(), signal);
  const built = results.filter((staged) => staged !== undefined);

  const names = new Set(built.map((staged) => staged.name));
  const empty = new Set(planned.map(({ name }) => name).filter((name) => !names.has(name)));
  const depends = settleDependencies(planned, empty);
  const extensions = built
    .map((staged): ExtensionFacts => ({ ...staged, depends: depends.get(staged.name) ?? [] }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const facts of extensions) {
    for (const [name, text] of formatSidecars(facts, depends, epoch))
      await writeFile(join(directory, name), text);
  }
  for (const [name, bytes] of formatIndexes(extensions)) await writeFile(join(directory, name), bytes);
  log?.(
    `${extensions.length} extensions from ${planned.flatMap(({ packages }) => packages).length} packages`,
  );
  return extensions;
}

/**
 * Makes `<directory>/NAME.tcz` of one extension; undefined if nothing of its packages is left (a metapackage).
 * The files beside it need the other extensions and are written by `buildExtensions`.
 */
export async function buildExtension(
  options: BuildOptions,
  extension: PlannedExtension,
  directory: string,
): Promise<PackedExtension | undefined> {
  const { $, downloads, workDir, signal } = options;
  const { name, packages, entry } = extension;
  const stage = join(workDir, name);
  const licences: string[] = [];
  try {
    await mkdir(join(stage, "root"), { recursive: true });
    for (const member of packages) {
      signal?.throwIfAborted();
      const unpacked = join(stage, "package");
      const spool = join(stage, "spool");
      const files = await readDebFiles($, requireDownload(downloads, member.name), spool);
      licences.push(...(await copyrightLicences(files, member.name)));
      await layOutTree(files, unpacked);
      await movePackage(unpacked, join(stage, "root"));
      for (const directory of [unpacked, spool]) await rm(directory, { recursive: true, force: true });
    }
    for (const [path, text] of Object.entries(entry?.files ?? {}))
      await addText(join(stage, "root"), path, text);
    if (entry?.installed !== undefined) await addInstalledScript(join(stage, "root"), name, entry.installed);
    return await packExtension(options, { name, packages, licences, root: join(stage, "root"), directory });
  } finally {
    await rm(stage, { recursive: true, force: true });
  }
}

async function buildModules(options: BuildOptions, directory: string): Promise<PackedExtension | undefined> {
  const { plan, workDir } = options;
  const stage = join(workDir, "kernel-modules");
  try {
    const { name, packages } = await stageKernelModules({ ...options, stage });
    const members = plan.packages.filter((member) => packages.includes(member.name));
    return await packExtension(options, {
      name,
      packages: members,
      licences: ["GPL-2"],
      root: join(stage, "root"),
      directory,
    });
  } finally {
    await rm(stage, { recursive: true, force: true });
  }
}

async function packExtension(
  { $, downloads, epoch, signal }: BuildOptions,
  made: {
    readonly name: string;
    readonly packages: readonly PlannedPackage[];
    readonly licences: readonly string[];
    readonly root: string;
    readonly directory: string;
  },
): Promise<PackedExtension | undefined> {
  const paths = await settleTree(made.root, epoch);
  if (paths.length === 0) return undefined;
  signal?.throwIfAborted();
  const file = join(made.directory, `${made.name}.tcz`);
  await packSquashfs($, made.root, file, { epoch, policy: extensionPolicy });
  const first = made.packages[0];
  const fields =
    first === undefined
      ? new Map<string, string>()
      : (await readDebControl($, requireDownload(downloads, first.name))).fields;
  return {
    name: made.name,
    version: first?.version ?? "",
    description: (fields.get("Description") ?? made.name).split("\n", 1)[0] ?? made.name,
    homepage: fields.get("Homepage") ?? "---",
    licences: [...new Set(made.licences)],
    packages: made.packages.map((member) => `${member.name} ${member.version}`),
    tags: [...new Set([made.name, ...(fields.get("Section") ?? "").split("/").filter((tag) => tag !== "")])],
    size: (await stat(file)).size,
    md5: await digestMd5(file),
    paths,
  };
}

function requireDownload(downloads: Readonly<Record<string, string>>, name: string): string {
  const file = downloads[name];
  if (file !== undefined) return file;
  throw new UserError(`the package ${name} was not downloaded`, {
    code: "package-missing",
    where: name,
    hint: "plan the packages again, then download them",
  });
}

async function digestMd5(file: string): Promise<string> {
  const hash = createHash("md5");
  for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
  return hash.digest("hex");
}
