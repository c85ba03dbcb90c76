/**
 * Gems as RubyGems installs them: laid out when the image is built, so that no machine does it at each boot. Gems whose native
 * extensions must be compiled, or that are for one platform, are left to the machine.
 *
 * Layout: RubyGems, `Gem::Installer`: `gems/FULLNAME/`, `specifications/FULLNAME.gemspec`, programs in the directory of programs.
 */
import { mkdir, readdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { UserError } from "../../src/errors/index.ts";
import {
  bytesContent,
  FileTree,
  type GemSpecification,
  gemProgram,
  readGemSpecification,
  readTarballFiles,
  treeFromTarball,
  type UnpackLimits,
} from "../../src/formats/index.ts";
import type { ImageRuby } from "./ruby-library.ts";

/** RubyGems' own place for Tiny Core's Ruby; Debian's Ruby searches it, too (`gem env gempath`). */
const gemHomes = "usr/local/lib/ruby/gems";
const programs = "usr/local/bin";

/** Ruby 1.8 has no RubyGems, and programs of gems need `String#b` of Ruby 2.0: older Rubies install gems at boot. */
const firstRuby = 2;

interface InstalledGems {
  /** Paths from the image's root. */
  readonly tree: FileTree;
  /** Why a gem is left to be installed at boot, in words; by its file name. */
  readonly left: ReadonlyMap<string, string>;
}

interface InstallOptions {
  /** Absolute path of a directory for unpacked gems, which must stay while the tree is used. */
  readonly scratch: string;
  readonly limits: UnpackLimits;
  /** Seconds since 1970 of directories, and of the files of a gem by its file name. */
  readonly mtime: number;
  readonly timeOf: (gem: string) => number;
}

/** Lays out the gems in `directory` (absolute) for a Ruby; none for a Ruby that cannot use them. */
export async function installGems(
  directory: string,
  ruby: ImageRuby | undefined,
  options: InstallOptions,
): Promise<InstalledGems> {
  const tree = new FileTree();
  const left = new Map<string, string>();
  if (ruby === undefined || Number.parseInt(ruby.version, 10) < firstRuby) return { tree, left };
  const home = `${gemHomes}/${ruby.version}`;
  const gems = (await readdir(directory)).filter((name) => name.endsWith(".gem")).sort();
  for (const gem of gems) {
    try {
      const specification = await readGemSpecification(path.join(directory, gem), gem);
      const why = reasonToLeave(specification, gem);
      if (why === undefined)
        tree.addTree(await layOut(path.join(directory, gem), specification, home, options));
      else left.set(gem, why);
    } catch (error) {
      // RubyGems may understand what is not understood here.
      if (!(error instanceof UserError) || error.code !== "bad-gem") throw error;
      left.set(gem, error.message);
    }
  }
  if (tree.size > 0) tree.ensureParents({ mtime: options.mtime });
  return { tree, left };
}

/** RubyGems asks the file's name at boot whether the gem is installed. */
function reasonToLeave(
  { extensions, platform, fullName }: GemSpecification,
  gem: string,
): string | undefined {
  if (extensions.length > 0) return "it has native extensions";
  if (platform !== "ruby") return `it is for ${platform}`;
  return gem === `${fullName}.gem` ? undefined : `it is ${fullName}`;
}

async function layOut(
  gem: string,
  { name, fullName, bindir, executables, ruby }: GemSpecification,
  home: string,
  { scratch, limits, mtime, timeOf }: InstallOptions,
): Promise<FileTree> {
  const label = path.basename(gem);
  const time = timeOf(label);
  const data = (await readTarballFiles(gem, (entry) => entry.path === "data.tar.gz", limits)).get(
    "data.tar.gz",
  );
  if (data === undefined) {
    throw new UserError("the gem cannot be read: it has no data.tar.gz", {
      code: "bad-gem",
      where: label,
      hint: "use another gem server: the file is damaged or not a gem",
    });
  }
  const spool = path.join(scratch, fullName);
  await mkdir(spool, { recursive: true });
  const packed = path.join(spool, "data.tar.gz");
  await writeFile(packed, data);
  const files = await treeFromTarball(packed, spool, { ...limits, label });
  const tree = new FileTree();
  for (const [at, node] of files) {
    if (at === ".") continue;
    if (node.type === "directory") tree.addDirectory(`${home}/gems/${fullName}/${at}`, { mtime });
    else tree.set(`${home}/gems/${fullName}/${at}`, { ...node, mtime: time });
  }
  for (const executable of executables) {
    const own = `${home}/gems/${fullName}/${bindir}/${executable}`;
    const node = tree.get(own);
    if (node?.type === "file") tree.set(own, { ...node, mode: 0o755 });
    const text = bytesContent(gemProgram(name, executable));
    tree.addFile(`${programs}/${executable}`, text, { mtime: time, mode: 0o755 });
  }
  return tree.addFile(`${home}/specifications/${fullName}.gemspec`, bytesContent(ruby), { mtime: time });
}
