/** Real `.gem` files made from the distribution's packages of Ruby libraries, behind a compact index. */
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { UserError } from "../../src/errors/index.ts";
import { bytesContent, FileTree, unpackDeb, writeTarball } from "../../src/formats/index.ts";
import type { BuildOptions } from "./extensions.ts";
import { formatGemChecksums, formatGemIndex, formatGemMetadata, type PackedGem } from "./gem-metadata.ts";
import type { GemSource } from "./gem-source.ts";
import { parseGemspec } from "./gemspec.ts";
import { makePureJson } from "./pure-json.ts";

/** Packages that gems are made from, each a wish of its own (see package-closure.ts). */
export const gemPackages: readonly string[] = [
  "facter",
  "ruby-daemons",
  "ruby-hocon",
  "ruby-json",
  "ruby-stomp",
  "ruby-thor",
];

/** Where the gem server's files lie in the sample: `info/NAME`, `versions`, `names` and `gems/NAME-VERSION.gem`. */
const gemDirectory = "gems";

/**
 * Writes `<outDir>/gems`. The gems need no compiler: what a package has as machine code is left out, and JSON is
 * offered as `json_pure`. Returns what was packed, in the order of the packages.
 * Throws `UserError`: `gemspec`, `gem-layout` for a package that is laid out in a way not known here.
 */
export async function buildGems(options: BuildOptions): Promise<readonly PackedGem[]> {
  const { $, downloads, workDir, outDir, epoch, signal, log } = options;
  const directory = join(outDir, gemDirectory);
  await mkdir(join(directory, "gems"), { recursive: true });
  await mkdir(join(directory, "info"), { recursive: true });
  const gems: PackedGem[] = [];
  for (const name of gemPackages) {
    signal?.throwIfAborted();
    const stage = join(workDir, `gem-${name}`);
    try {
      const deb = downloads[name];
      if (deb === undefined) throw layoutError(`the package ${name} was not downloaded`, name);
      await mkdir(stage, { recursive: true });
      await unpackDeb($, deb, join(stage, "package"));
      const source = await findGem(join(stage, "package"), name);
      const offered = source.specification.name === "json" ? makePureJson(source) : source;
      gems.push(await packGem(offered, stage, join(directory, "gems"), epoch));
    } finally {
      await rm(stage, { recursive: true, force: true });
    }
  }
  for (const [path, text] of formatGemIndex(gems, epoch)) await writeFile(join(directory, path), text);
  log?.(`${gems.length} gems`);
  return gems;
}

/**
 * A gem in an unpacked Debian package. Such a package has the specification of the installed gem, and the files
 * either in a gem's own directory or, older, spread over Ruby's vendor directory and `usr/bin`.
 */
async function findGem(root: string, name: string): Promise<GemSource> {
  const paths = await walk(root);
  const specifications = paths.filter((path) => /(^|\/)specifications\/[^/]+\.gemspec$/.test(path));
  const [path] = specifications;
  if (path === undefined || specifications.length > 1) {
    throw layoutError(
      `the package ${name} contains ${specifications.length} gem specifications, expected one`,
      name,
    );
  }
  const specification = parseGemspec(await readFile(join(root, path), "utf8"), `${name}: ${path}`);
  const home = `${dirname(dirname(path))}/gems/${basename(path, ".gemspec")}/`;
  const files = new Map<string, { readonly from: string }>();
  function take(prefix: string, into: string): void {
    for (const at of paths) {
      if (at.startsWith(prefix)) files.set(`${into}${at.slice(prefix.length)}`, { from: join(root, at) });
    }
  }
  take(home, "");
  const hasLibrary = [...files.keys()].some((at) => at.startsWith("lib/"));
  if (!hasLibrary) take("usr/lib/ruby/vendor_ruby/", "lib/");
  for (const executable of specification.executables) {
    if (!files.has(`bin/${executable}`)) take(`usr/bin/${executable}`, `bin/${executable}`);
    if (!files.has(`bin/${executable}`))
      throw layoutError(`the package ${name} does not contain ${executable}`, name);
  }
  if (![...files.keys()].some((at) => at.startsWith("lib/"))) {
    throw layoutError(`the package ${name} does not contain a Ruby library`, name);
  }
  return { specification, files };
}

/** A `.gem` file (RubyGems, `Gem::Package`): a tar of `metadata.gz`, `data.tar.gz` and `checksums.yaml.gz`. */
async function packGem(
  source: GemSource,
  stage: string,
  directory: string,
  epoch: number,
): Promise<PackedGem> {
  const { specification } = source;
  const data = new FileTree();
  for (const [path, file] of source.files) {
    const bytes = "from" in file ? await readFile(file.from) : Buffer.from(file.text);
    data.addFile(path, bytesContent(bytes), { mtime: epoch, mode: path.startsWith("bin/") ? 0o755 : 0o644 });
  }
  const dataFile = join(stage, "data.tar.gz");
  await writeTarball(data, dataFile);
  const metadata = formatGemMetadata(specification, data.paths());
  const members = new Map<string, Uint8Array>([
    ["metadata.gz", gzipSync(metadata, { level: 9 })],
    ["data.tar.gz", await readFile(dataFile)],
  ]);
  members.set("checksums.yaml.gz", gzipSync(formatGemChecksums(members), { level: 9 }));
  const gem = new FileTree();
  for (const [name, bytes] of members) {
    gem.addFile(name, bytesContent(bytes), { mtime: epoch, mode: 0o444 });
  }
  const file = join(directory, `${specification.name}-${specification.version}.gem`);
  const { size, sha256 } = await writeTarball(gem, file, { level: "none" });
  return { specification, size, sha256 };
}

/** Paths of regular files under `root`, sorted. Links in such packages lead to files of other packages. */
async function walk(root: string, directory = ""): Promise<readonly string[]> {
  const found: string[] = [];
  for (const entry of await readdir(join(root, directory), { withFileTypes: true })) {
    const path = directory === "" ? entry.name : `${directory}/${entry.name}`;
    if (entry.isDirectory()) found.push(...(await walk(root, path)));
    else if (entry.isFile()) found.push(path);
  }
  return found.sort();
}

function layoutError(message: string, where: string): UserError {
  return new UserError(message, {
    code: "gem-layout",
    where,
    hint: "build the sample source on Debian 12 or a current Ubuntu",
  });
}
