/**
 * The metadata of a tree: `repodata/`, with the parts of each package made once (by createrepo_c) and joined here. The same packages have
 * the same bytes.
 */
import { createHash } from "node:crypto";
import { copyFile, link, mkdir, readdir, readFile, utimes, writeFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { gunzip, gzip } from "node:zlib";
import type { Memo } from "../../src/engine/index.ts";
import type { Shell } from "../../src/host/index.ts";
import { formatRepomd } from "./repomd.ts";

export interface TreePackage {
  /** File name below `Packages/`. */
  readonly file: string;
  /** Absolute. */
  readonly path: string;
  /** In hex. */
  readonly sha256: string;
}

/** The kinds of metadata with a list of packages, and the root element of each (createrepo_c, xml_dump). */
const kinds = {
  primary: [
    "metadata",
    'xmlns="http://linux.duke.edu/metadata/common" xmlns:rpm="http://linux.duke.edu/metadata/rpm"',
  ],
  filelists: ["filelists", 'xmlns="http://linux.duke.edu/metadata/filelists"'],
  other: ["otherdata", 'xmlns="http://linux.duke.edu/metadata/other"'],
} as const;
type Kind = keyof typeof kinds;
const kindNames = Object.keys(kinds) as readonly Kind[];

/** A package's elements, by kind. */
type Parts = Readonly<Record<Kind, string>>;

interface RepodataRequest {
  readonly $: Shell;
  readonly memo: Memo;
  /** An existing directory (absolute). */
  readonly scratch: string;
  readonly packages: readonly TreePackage[];
  /** The text of comps.xml, for a tree with groups. */
  readonly comps: string | undefined;
  /** Seconds since 1970: revision and times. */
  readonly epoch: number;
  /** The directory `repodata` (absolute), which exists. */
  readonly target: string;
}

/** The packages in a directory (absolute), in byte order of their names. */
export async function readTreePackages(
  directory: string,
): Promise<readonly (TreePackage & { readonly bytes: number })[]> {
  const names = (await readdir(directory)).filter((name) => name.endsWith(".rpm"));
  names.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  return await Promise.all(
    names.map(async (name) => {
      const file = path.join(directory, name);
      const bytes = await readFile(file);
      return {
        file: name,
        path: file,
        bytes: bytes.length,
        sha256: createHash("sha256").update(bytes).digest("hex"),
      };
    }),
  );
}

/** Writes the metadata of the packages, which are below `Packages/` of the tree, and of the groups. */
export async function writeRepodata(request: RepodataRequest): Promise<void> {
  const { comps, epoch, target } = request;
  const parts = await partsOf(request);
  const entries: { readonly xml: string }[] = [];
  for (const kind of kindNames) {
    const [root, attributes] = kinds[kind];
    const text = [
      '<?xml version="1.0" encoding="UTF-8"?>\n',
      `<${root} ${attributes} packages="${parts.length}">\n`,
      ...parts.map((one) => one[kind]),
      `</${root}>`,
    ].join("");
    const packed = await promisify(gzip)(Buffer.from(text), { level: 9 });
    // RFC 1952: the byte that names the system on which it was packed.
    packed[9] = 255;
    const entry = entryFor(kind, packed, `${kind}.xml.gz`, epoch, Buffer.from(text));
    await writeFile(path.join(target, entry.name), packed);
    entries.push(entry);
  }
  if (comps !== undefined) {
    const bytes = Buffer.from(comps);
    const group = entryFor("group", bytes, "comps.xml", epoch);
    await writeFile(path.join(target, group.name), bytes);
    entries.push(group);
  }
  await writeFile(path.join(target, "repomd.xml"), formatRepomd(entries, String(epoch)));
}

/** The parts of each package, in the order of the packages; those that no earlier build made are made by one run of createrepo_c. */
async function partsOf({ memo, packages, ...request }: RepodataRequest): Promise<readonly Parts[]> {
  const missing: TreePackage[] = [];
  let undecided = packages.length;
  let begin: (made: Promise<ReadonlyMap<string, Parts>>) => void = () => {};
  const batch = new Promise<ReadonlyMap<string, Parts>>((resolve) => {
    begin = resolve;
  });
  const decided = (): void => {
    undecided -= 1;
    if (undecided === 0) begin(makeParts(request, missing));
  };
  const files = await Promise.all(
    packages.map(async (one) => {
      let isMissing = false;
      const file = await memo([one.file, one.sha256, String(request.epoch)], async (target) => {
        isMissing = true;
        missing.push(one);
        decided();
        await writeFile(target, JSON.stringify((await batch).get(one.sha256)));
      });
      if (!isMissing) decided();
      return file;
    }),
  );
  return await Promise.all(files.map(async (file) => JSON.parse(await readFile(file, "utf8")) as Parts));
}

/** The parts by the packages' digests. */
async function makeParts(
  { $, scratch, epoch }: Pick<RepodataRequest, "$" | "scratch" | "epoch">,
  packages: readonly TreePackage[],
): Promise<ReadonlyMap<string, Parts>> {
  if (packages.length === 0) return new Map();
  const root = path.join(scratch, "createrepo");
  await mkdir(path.join(root, "Packages"), { recursive: true });
  for (const one of packages) {
    const target = path.join(root, "Packages", one.file);
    // The time is recorded, and the package may be another step's output.
    await copyFile(one.path, target).catch(() => link(one.path, target));
    await utimes(target, epoch, epoch);
  }
  const reproducible = ["--revision", String(epoch), "--set-timestamp-to-revision"];
  await $`createrepo_c --quiet --no-database --general-compress-type=gz ${reproducible} ${root}`;
  const found = new Map<string, Record<Kind, string>>();
  for (const name of await readdir(path.join(root, "repodata"))) {
    const kind = kindNames.find((one) => name.endsWith(`-${one}.xml.gz`));
    if (kind === undefined) continue;
    const text = (await promisify(gunzip)(await readFile(path.join(root, "repodata", name)))).toString();
    for (const [element] of text.matchAll(/^<package [\s\S]*?^<\/package>\n/gm)) {
      const [, listed, primary] =
        /^<package pkgid="([0-9a-f]+)"|pkgid="YES">([0-9a-f]+)</m.exec(element) ?? [];
      const digest = listed ?? primary ?? "";
      const parts = found.get(digest) ?? { primary: "", filelists: "", other: "" };
      parts[kind] = element;
      found.set(digest, parts);
    }
  }
  return found;
}

/** An entry of repomd.xml; the file's name begins with its digest, as createrepo_c's does. */
function entryFor(type: string, bytes: Buffer, name: string, epoch: number, open?: Buffer) {
  const sha256 = (content: Buffer): string => createHash("sha256").update(content).digest("hex");
  const file = `${sha256(bytes)}-${name}`;
  const lines = [
    `<data type="${type}">`,
    `    <checksum type="sha256">${sha256(bytes)}</checksum>`,
    ...(open === undefined ? [] : [`    <open-checksum type="sha256">${sha256(open)}</open-checksum>`]),
    `    <location href="repodata/${file}"/>`,
    `    <timestamp>${epoch}</timestamp>`,
    `    <size>${bytes.length}</size>`,
    ...(open === undefined ? [] : [`    <open-size>${open.length}</open-size>`]),
    "  </data>",
  ];
  return { name: file, xml: lines.join("\n") };
}
