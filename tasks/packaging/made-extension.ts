/** An extension as a mirror has it: the file, and the small ones beside it. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { copyFile, rm, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import type { Memo } from "../../src/engine/index.ts";
import { formatDependencies, parseInfo } from "../../src/fetch/index.ts";
import { FileTree, layOutTree, listSquashfs, packSquashfs, printName } from "../../src/formats/index.ts";
import type { Shell } from "../../src/host/index.ts";
import { type ExtensionFacts, formatSidecars } from "../debian/extension-metadata.ts";
import { undated } from "../settings/undated.ts";
import { ownExtensionError } from "./own-extension-error.ts";

export interface PackingContext {
  readonly $: Shell;
  readonly memo: Memo;
  /** Absolute. */
  readonly scratch: string;
}

/** Packs the tree as a squashfs file, unless that was done before; its absolute path, in the scratch directory. */
export async function packTree(
  name: string,
  tree: FileTree,
  { $, memo, scratch }: PackingContext,
): Promise<string> {
  return await memo(["tcz", name, await tree.digest()], async (file) => {
    const directory = path.join(scratch, `${name}.tree`);
    const devices = [...tree].filter(([, { type }]) => type === "char" || type === "block");
    const plain = new FileTree([...tree].filter(([, { type }]) => type !== "char" && type !== "block"));
    await layOutTree(plain, directory, { label: name });
    await packSquashfs($, directory, file, {
      epoch: undated,
      policy: (entry) => {
        const { mode, uid, gid } = tree.get(entry) ?? { mode: 0o755, uid: 0, gid: 0 };
        return { mode, uid, gid };
      },
      devices: new FileTree(devices),
    });
    await rm(directory, { recursive: true });
  });
}

/** What is written beside an extension. */
interface Description {
  /** File name. */
  readonly name: string;
  readonly version: string;
  /** File names of what it needs directly. */
  readonly deps: readonly string[];
  /** The text of its `.info`, where the project has one. */
  readonly info: string | undefined;
}

/**
 * Writes `NAME.tcz`, `.md5.txt`, `.sha256.txt`, `.info`, `.list`, and `.dep` where it has any, to the directory `to`; `file` is the
 * packed extension. Both are absolute.
 */
export async function placeMade(
  file: string,
  { name, version, deps, info }: Description,
  to: string,
  $: Shell,
): Promise<ExtensionFacts> {
  const target = path.join(to, name);
  await copyFile(file, target);
  const description = parseInfo(info ?? "").get("Description");
  const read = await readFacts($, target, deps);
  const facts = { ...read, version, ...(description === undefined ? {} : { description }) };
  for (const [sidecar, text] of formatSidecars(facts, new Map(), undated)) {
    if (sidecar.endsWith(".tree") || sidecar.endsWith(".dep")) continue;
    await writeFile(path.join(to, sidecar), sidecar.endsWith(".info") ? (info ?? text) : text);
  }
  await writeFile(`${target}.sha256.txt`, `${await digestOf(target, "sha256")}  ${name}\n`);
  if (deps.length > 0) await writeFile(`${target}.dep`, formatDependencies(deps));
  return facts;
}

/** What a mirror's indexes say of an extension (absolute path) that needs these others, which are file names. */
export async function readFacts($: Shell, file: string, deps: readonly string[]): Promise<ExtensionFacts> {
  const name = path.basename(file, ".tcz");
  const entries = await listSquashfs($, file, `${name}.tcz`);
  return {
    name,
    version: "---",
    description: name,
    homepage: "---",
    licences: [],
    by: "razor-mk",
    packages: [],
    tags: [],
    size: (await stat(file)).size,
    md5: await digestOf(file, "md5"),
    paths: entries.filter(({ type }) => type !== "directory").map((entry) => entry.path),
    depends: deps.map((dep) => dep.replace(/\.tcz$/, "")),
  };
}

/** The digest of a file (absolute path), in hex. */
export async function digestOf(file: string, algorithm: "md5" | "sha256"): Promise<string> {
  const hash = createHash(algorithm);
  for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
  return hash.digest("hex");
}

/** Throws where the text of an `.md5.txt` is not about the file (absolute, named `where` in messages). */
export async function checkSum(file: string, text: string, where: string): Promise<void> {
  const [, expected] = /^([0-9a-f]{32})\b/i.exec(text.trim()) ?? [];
  const found = await digestOf(file, "md5");
  if (expected?.toLowerCase() === found) return;
  throw ownExtensionError(
    `${printName(path.basename(file))} is not what its .md5.txt says: it has ${found}`,
    where,
    "get the file again, or remove the .md5.txt",
  );
}
