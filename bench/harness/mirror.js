// Mirrors for the benchmarks: the sample source's own, served over HTTP, and a made-up one with a small Core ISO.
// They know a mirror's layout, not how anything is fetched from it.
import { createHash, randomBytes } from "node:crypto";
import { copyFile, mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { emptyPlace, shell } from "./place.js";
import { defineSource, exists } from "./workspace.js";

/**
 * A copy of the sample source's mirror, made of links.
 * @param {import("./workspace.js").Workspace} workspace One in which it was built.
 * @param {string} [name]
 */
export async function copySampleMirror({ root }, name = "mirror-sample") {
  const target = await emptyPlace(name);
  const made = path.join(root, ".buildcache/v1/out/shared/sample-source/mirror");
  await shell({ cwd: target })`cp -rl ${`${made}/.`} .`;
  return target;
}

/**
 * @param {import("./workspace.js").Workspace} workspace
 * @param {string} mirror Absolute path of its directory.
 * @param {string} url Where it is served.
 */
export async function defineBenchSource(workspace, mirror, url) {
  const extras = await readdir(path.join(mirror, "extras"));
  /** @param {string} start */
  const extra = (start) => {
    const name = extras.find((candidate) => candidate.startsWith(start));
    return name === undefined ? "none" : `${url}/extras/${name}`;
  };
  await defineSource(workspace, {
    mirror: url,
    release: "14.x",
    arch: "x86_64",
    gems: `${url}/gems`,
    rubygems: extra("rubygems-"),
    mcollective: extra("mcollective-"),
    "open-vm-tools": extra("mk-open-vm-tools"),
  });
}

/**
 * What somebody without an index would fetch: for each extension that was asked for all that stands beside it too.
 * @param {readonly string[]} log Paths that were asked for.
 * @param {string} mirror
 * @param {string} url
 */
export async function urlsOf(log, mirror, url) {
  /** @type {Set<string>} */
  const names = new Set();
  for (const name of log) {
    if (/\/info\/|\.gz$(?<!\.tar\.gz)|\.db$|\.lst$/.test(name)) continue;
    names.add(name);
    if (!name.endsWith(".tcz")) continue;
    for (const suffix of sidecars) {
      if (await exists(path.join(mirror, `${name}${suffix}`))) names.add(`${name}${suffix}`);
    }
  }
  return [...names].map((name) => `${url}${name}`);
}

const sidecars = [".md5.txt", ".dep", ".info", ".list"];

/**
 * A mirror with extensions of random content, five files each, gems and a Core ISO.
 * @param {{ extensions: number, gems: number }} shape
 * @returns {Promise<{ directory: string, extensions: string[], gems: string[], files: string[], size: number }>} Names of
 *   extensions and gems, path of every file, bytes in all.
 */
export async function makeMirror({ extensions, gems }) {
  const directory = await emptyPlace("mirror-slow");
  const tcz = path.join(directory, "14.x/x86_64/tcz");
  const release = path.join(directory, "14.x/x86_64/release");
  for (const one of [tcz, release, path.join(directory, "gems/info"), path.join(directory, "gems/gems")]) {
    await mkdir(one, { recursive: true });
  }
  const names = Array.from({ length: extensions }, (_, index) => `extension-${index}.tcz`);
  for (const [index, name] of names.entries()) {
    const before = names[index - 1] ?? "base.tcz";
    // From a tenth of a megabyte to two: most extensions are small.
    await putExtension(tcz, name, 100_000 * (1 + (index % 20)), index === 0 ? [] : [before]);
  }
  // What the pipeline takes lscpu and sfdisk from, whatever the lists say.
  await putExtension(tcz, "util-linux.tcz", 300_000, []);
  await writeIndexes(tcz);
  const gemNames = Array.from({ length: gems }, (_, index) => `bench-gem-${index}`);
  for (const name of gemNames) await putGem(path.join(directory, "gems"), name);
  await putIso(release, "CorePure64-current.iso");
  const urls = await urlsOf(
    [
      "/14.x/x86_64/release/CorePure64-current.iso",
      "/14.x/x86_64/release/CorePure64-current.iso.md5.txt",
      ...[...names, "util-linux.tcz"].map((name) => `/14.x/x86_64/tcz/${name}`),
      ...gemNames.map((name) => `/gems/gems/${name}-1.0.gem`),
    ],
    directory,
    "",
  );
  let size = 0;
  for (const name of urls) size += (await stat(path.join(directory, name))).size;
  return { directory, extensions: names, gems: gemNames, files: urls, size };
}

/**
 * @param {string} directory
 * @param {string} name
 * @param {number} size
 * @param {readonly string[]} needs
 */
async function putExtension(directory, name, size, needs) {
  const bytes = Buffer.concat([Buffer.from("hsqs"), randomBytes(size - 4)]);
  await writeFile(path.join(directory, name), bytes);
  await describeExtension(directory, name, hash("md5", bytes), needs);
}

/**
 * @param {string} directory
 * @param {string} name
 * @param {string} md5
 * @param {readonly string[]} needs
 */
async function describeExtension(directory, name, md5, needs) {
  await writeFile(path.join(directory, `${name}.md5.txt`), `${md5}  ${name}\n`);
  await writeFile(path.join(directory, `${name}.dep`), needs.map((need) => `${need}\n`).join(""));
  await writeFile(path.join(directory, `${name}.info`), `Title:          ${name}\nVersion:        1.0\n`);
  await writeFile(path.join(directory, `${name}.list`), `usr/local/bin/${name}\n`);
}

/**
 * The repository's indexes, made from what stands beside the extensions.
 * @param {string} directory
 */
async function writeIndexes(directory) {
  const names = (await readdir(directory)).filter((name) => name.endsWith(".tcz")).sort();
  let md5 = "";
  let sizes = "";
  let needs = "";
  for (const name of names) {
    md5 += await readFile(path.join(directory, `${name}.md5.txt`), "utf8");
    sizes += `${name} ${(await stat(path.join(directory, name))).size}\n`;
    const dep = await readFile(path.join(directory, `${name}.dep`), "utf8").catch(() => "");
    needs += `${name}\n${dep}\n`;
  }
  await writeFile(path.join(directory, "md5.db.gz"), gzipSync(md5));
  await writeFile(path.join(directory, "sizelist.gz"), gzipSync(sizes));
  await writeFile(path.join(directory, "dep.db.gz"), gzipSync(needs));
  await writeFile(path.join(directory, "info.lst.gz"), gzipSync(names.map((name) => `${name}\n`).join("")));
}

/**
 * A gem: a tar archive with a specification and data.
 * @param {string} directory
 * @param {string} name
 */
async function putGem(directory, name) {
  const work = await emptyPlace("scratch", "gem");
  const $ = shell({ cwd: work });
  await writeFile(path.join(work, "metadata"), `--- !ruby/object:Gem::Specification\nname: ${name}\n`);
  await writeFile(path.join(work, "data.tar.gz"), gzipSync(randomBytes(150_000)));
  await writeFile(path.join(work, "checksums.yaml.gz"), gzipSync("--- {}\n"));
  const gem = path.join(directory, "gems", `${name}-1.0.gem`);
  await $`gzip -n metadata`;
  await $`tar -cf ${gem} metadata.gz data.tar.gz checksums.yaml.gz`;
  const sha256 = hash("sha256", await readFile(gem));
  await writeFile(path.join(directory, "info", name), `---\n1.0 |checksum:${sha256}\n`);
}

/**
 * An ISO as Core's: a kernel, an initrd that names its release, the loader's menu.
 * @param {string} directory
 * @param {string} name
 */
async function putIso(directory, name) {
  const work = await emptyPlace("scratch", "iso");
  const $ = shell({ cwd: work });
  await $`mkdir -p root/boot/isolinux tree/lib/modules/6.1.2-tinycore64 tree/bin`;
  await writeFile(path.join(work, "root/boot/vmlinuz64"), randomBytes(5_000_000));
  await writeFile(path.join(work, "tree/bin/busybox"), randomBytes(7_000_000));
  await writeFile(path.join(work, "root/boot/isolinux/isolinux.cfg"), "timeout 300\n");
  const pack = "find . | LC_ALL=C sort | cpio -o -H newc --quiet | gzip -n > ../root/boot/corepure64.gz";
  await $({ cwd: path.join(work, "tree") })`bash -c ${pack}`;
  await $`xorriso -as mkisofs -quiet -l -J -R -o core.iso root`;
  await copyFile(path.join(work, "core.iso"), path.join(directory, name));
  const md5 = hash("md5", await readFile(path.join(work, "core.iso")));
  await writeFile(path.join(directory, `${name}.md5.txt`), `${md5}  ${name}\n`);
}

/**
 * Adds an extension of about `size` bytes that cannot be made smaller to a copy of the sample mirror.
 * @param {string} mirror
 * @param {number} size
 */
export async function addBallast(mirror, size) {
  const tcz = path.join(mirror, "14.x/x86_64/tcz");
  const work = await emptyPlace("scratch", "ballast");
  const $ = shell({ cwd: work });
  await $`mkdir tree`;
  await $`bash -c ${`head -c ${size} /dev/urandom > tree/ballast`}`;
  await $`mksquashfs tree ballast.tcz -noI -noD -noF -quiet -no-progress`;
  await $`mv ballast.tcz ${tcz}`;
  const md5 = (await $`md5sum ${path.join(tcz, "ballast.tcz")}`).stdout.slice(0, 32);
  await describeExtension(tcz, "ballast.tcz", md5, []);
  for (const [index, line] of /** @type {const} */ ([
    ["md5.db.gz", `${md5}  ballast.tcz\n`],
    ["sizelist.gz", `ballast.tcz ${(await stat(path.join(tcz, "ballast.tcz"))).size}\n`],
    ["info.lst.gz", "ballast.tcz\n"],
  ])) {
    const file = path.join(tcz, index);
    const bytes = await readFile(file).catch(() => undefined);
    if (bytes === undefined) continue;
    // Beside and renamed: the file may be a link to the sample source's.
    await writeFile(`${file}.new`, gzipSync(`${gunzipSync(bytes)}${line}`));
    await $`mv ${`${file}.new`} ${file}`;
  }
}

/**
 * @param {string} algorithm
 * @param {Buffer} bytes
 */
function hash(algorithm, bytes) {
  return createHash(algorithm).update(bytes).digest("hex");
}
