/** The extras of the sample source: tarballs of RubyGems, of MCollective and of the open-vm-tools. */
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { UserError } from "../../src/errors/index.ts";
import {
  bytesContent,
  FileTree,
  readDebFiles,
  treeFromDirectory,
  unpackDeb,
  writeTarball,
} from "../../src/formats/index.ts";
import { movePackage, settleTree } from "./extension-tree.ts";
import type { BuildOptions } from "./extensions.ts";
import { mcollectivePackages, placeInRelease } from "./mcollective.ts";

/** Packages that the extras are made from, as wishes (see package-closure.ts); taken without what they depend on. */
export const extraPackages: readonly string[] = ["open-vm-tools", "ruby-rubygems | rubygems"];

/** Where the extras lie in the sample. */
const extraDirectory = "extras";

const installRubygems = `# Installs RubyGems from this directory into the Ruby that runs this file: ruby setup.rb
require "fileutils"
require "rbconfig"

library = RbConfig::CONFIG["sitelibdir"]
FileUtils.mkdir_p(library)
FileUtils.cp_r(File.join(__dir__, "lib", "."), library)
command = File.join(RbConfig::CONFIG["bindir"], "gem")
FileUtils.cp(File.join(__dir__, "bin", "gem"), command) unless File.exist?(command)
FileUtils.chmod(0o755, command)
`;

/** Writes `<outDir>/extras`. Returns the names of the files, in byte order. */
export async function buildExtras(options: BuildOptions): Promise<readonly string[]> {
  const { outDir, signal, log } = options;
  await mkdir(join(outDir, extraDirectory), { recursive: true });
  const names: string[] = [];
  for (const build of [buildMcollective, buildOpenVmTools, buildRubygems]) {
    signal?.throwIfAborted();
    const name = await build(options);
    if (name !== undefined) names.push(name);
  }
  log?.(`${names.length} extras`);
  return names;
}

/** Undefined where the distribution does not have MCollective. */
async function buildMcollective(options: BuildOptions): Promise<string | undefined> {
  const { $, plan, downloads, workDir, outDir, epoch, log } = options;
  const packages = plan.packages.filter(({ name }) => mcollectivePackages.includes(name));
  const lacking = mcollectivePackages.filter((name) => !packages.some((found) => found.name === name));
  const main = packages.find(({ name }) => name === "mcollective");
  if (lacking.length > 0 || main === undefined) {
    log?.(`no MCollective: the distribution has no package ${lacking.join(", ")}`);
    return undefined;
  }
  const name = `mcollective-${upstreamVersion(main.version)}`;
  const list = packages.map((found) => `${found.name} ${found.version}`).join(", ");
  const readme = `MCollective, from the packages ${list}.\nStart it with: ruby -I lib bin/mcollectived --config FILE\n`;
  const tree = new FileTree().addFile(`${name}/README`, bytesContent(Buffer.from(readme)), { mtime: epoch });
  const spool = join(workDir, "extra-mcollective");
  try {
    for (const found of packages) {
      const deb = downloads[found.name];
      if (deb === undefined) throw missing(found.name);
      const own = join(spool, found.name);
      await mkdir(own, { recursive: true });
      for (const [path, node] of await readDebFiles($, deb, own)) {
        const place = placeInRelease(path);
        if (place === undefined || node.type !== "file") continue;
        const mode = (node.mode & 0o111) === 0 ? 0o644 : 0o755;
        tree.set(`${name}/${place}`, { ...node, mode, uid: 0, gid: 0, mtime: epoch });
      }
    }
    return await write(tree, outDir, `${name}.tgz`, epoch);
  } finally {
    await rm(spool, { recursive: true, force: true });
  }
}

/** The package's files, arranged like an extension's; their libraries are not in it, nor kernel modules (the kernel has them). */
async function buildOpenVmTools(options: BuildOptions): Promise<string> {
  return await unpack(options, "open-vm-tools", async (root) => {
    const tree = await treeFromDirectory(root, { mtime: options.epoch });
    return await write(tree, options.outDir, "mk-open-vm-tools.tar.gz", options.epoch);
  });
}

async function buildRubygems(options: BuildOptions): Promise<string> {
  const { plan, outDir, epoch } = options;
  const found = plan.packages.find(({ name }) => name === "ruby-rubygems" || name === "rubygems");
  if (found === undefined) throw missing("ruby-rubygems");
  const version = upstreamVersion(found.version);
  return await unpack(options, found.name, async (root) => {
    const name = `rubygems-${version}`;
    const tree = new FileTree();
    for (const [path, node] of await treeFromDirectory(root, { mtime: epoch })) {
      const at = path
        .replace(/^usr\/lib\/ruby\/vendor_ruby\//, "lib/")
        .replace(/^usr\/local\/bin\/gem$/, "bin/gem");
      if (at !== path && node.type !== "directory") tree.set(`${name}/${at}`, node);
    }
    const readme = `RubyGems ${version}, from the package ${found.name} ${found.version}. Install it with: ruby setup.rb\n`;
    tree.addFile(`${name}/README`, bytesContent(Buffer.from(readme)), { mtime: epoch });
    tree.addFile(`${name}/setup.rb`, bytesContent(Buffer.from(installRubygems)), { mtime: epoch });
    return await write(tree, outDir, `${name}.tgz`, epoch);
  });
}

/** Unpacks a package, arranges its files like an extension's and hands their directory to `use`. */
async function unpack<Result>(
  { $, downloads, workDir, epoch }: BuildOptions,
  name: string,
  use: (root: string) => Promise<Result>,
): Promise<Result> {
  const deb = downloads[name];
  if (deb === undefined) throw missing(name);
  const stage = join(workDir, `extra-${name}`);
  try {
    await mkdir(join(stage, "root"), { recursive: true });
    await unpackDeb($, deb, join(stage, "package"));
    await movePackage(join(stage, "package"), join(stage, "root"));
    await settleTree(join(stage, "root"), epoch);
    return await use(join(stage, "root"));
  } finally {
    await rm(stage, { recursive: true, force: true });
  }
}

async function write(tree: FileTree, outDir: string, name: string, epoch: number): Promise<string> {
  await writeTarball(tree.ensureParents({ mtime: epoch }), join(outDir, extraDirectory, name));
  return name;
}

/** A package's version (deb-version(7)) without its epoch, its revision and what the distribution appended. */
function upstreamVersion(version: string): string {
  return version.replace(/^\d+:/, "").replace(/[-~+].*$/, "");
}

function missing(name: string): UserError {
  return new UserError(`the package ${name} was not downloaded`, {
    code: "package-missing",
    where: name,
    hint: "plan the packages again, then download them",
  });
}
