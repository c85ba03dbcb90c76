/**
 * The extensions of an image as components, and the packages inside of those that were made of a distribution's.
 *
 * Conventions of Tiny Core: beside `NAME.tcz` lie `NAME.tcz.dep`, the extensions that it needs directly (`KERNEL` in a name stands
 * for the kernel's release), and `NAME.tcz.info`.
 */
import { messageOf, UserError } from "../errors/index.ts";
import {
  contentSize,
  digestContent,
  type FileContent,
  type FileTree,
  printName,
  readContent,
  readSquashfsTree,
} from "../formats/index.ts";
import type { Component } from "./bill.ts";
import { type ExtensionInfo, parseExtensionInfo } from "./extension-info.ts";
import { readLicences } from "./licence.ts";
import { debPurl, genericPurl } from "./package-url.ts";
import type { BillSources } from "./sources.ts";

/** A list or a description is read whole; no honest one is larger. */
const largestText = 1024 * 1024;

/** Where Debian, and with `usr/local` Tiny Core, keep the licence of a package. */
const copyrightPath = /^usr\/(?:local\/)?share\/doc\/[^/]+\/copyright$/;

function extensionId(file: string): string {
  return `extension/${printName(file)}`;
}

/** Every extension of the trees, each once by its file name; `release` is the kernel's. */
export async function extensionComponents(
  trees: readonly FileTree[],
  release: string | undefined,
  sources: BillSources,
): Promise<readonly Component[]> {
  const found = new Map<string, readonly Component[]>();
  for (const tree of trees) {
    for (const [path, node] of tree) {
      const name = path.slice(path.lastIndexOf("/") + 1);
      if (node.type !== "file" || !name.endsWith(".tcz") || found.has(name)) continue;
      found.set(name, await describe({ tree, path, name, content: node.content, release }, sources));
    }
  }
  return [...found.values()].flat();
}

interface Found {
  readonly tree: FileTree;
  readonly path: string;
  readonly name: string;
  readonly content: FileContent;
  readonly release: string | undefined;
}

/** The extension, and the packages in it. */
async function describe(found: Found, sources: BillSources): Promise<readonly Component[]> {
  const { tree, path, name, content, release } = found;
  const sha256 = await digestContent(content);
  const text = sources.infos.get(name) ?? (await textOf(tree, `${path}.info`));
  const info: ExtensionInfo = text === undefined ? { licences: [], packages: [] } : parseExtensionInfo(text);
  const url = sources.downloads.get(sha256)?.url;
  const stated = await readLicences(info.licences);
  const licences = stated.length > 0 ? stated : await readLicences(await licencesInside(found, sources));
  const { version, description, homepage } = info;
  const packages = await Promise.all(
    info.packages.map(
      async (one): Promise<Component> => ({
        ...{ id: `deb/${one.name}`, kind: "deb", name: one.name, version: one.version },
        ...{
          licences: info.packages.length === 1 ? licences : [],
          needs: [],
          contains: [],
          purl: await debPurl(one.name, one.version),
        },
      }),
    ),
  );
  const needed = await textOf(tree, `${path}.dep`);
  return [
    {
      ...{ id: extensionId(name), kind: "extension", name: printName(name), file: printName(path) },
      ...(version === undefined ? {} : { version }),
      ...(description === undefined ? {} : { description }),
      ...(homepage === undefined ? {} : { homepage }),
      ...(url === undefined ? {} : { url }),
      ...{ size: contentSize(content), sha256, licences },
      purl: await genericPurl(printName(name), version, { url, sha256 }),
      needs: dependencies(needed ?? "", release).map(extensionId),
      contains: packages.map(({ id }) => id),
    },
    ...packages,
  ];
}

function dependencies(text: string, release: string | undefined): readonly string[] {
  const names = text.split(/\s+/).filter((word) => word.endsWith(".tcz"));
  return names.map((name) => (release === undefined ? name : name.replaceAll("KERNEL", release)));
}

/** What the copyright files in the extension state. */
async function licencesInside(
  { content, name }: Found,
  { limits, note }: BillSources,
): Promise<readonly string[]> {
  if (content.kind !== "file") return [];
  try {
    const tree = await readSquashfsTree(content, { limits, label: name });
    const paths = tree.paths().filter((path) => copyrightPath.test(path));
    const texts = await Promise.all(paths.map(async (path) => (await textOf(tree, path)) ?? ""));
    return texts.flatMap(licencesOfCopyright);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    note(`${printName(name)}: ${messageOf(error)}`);
    return [];
  }
}

/** The short names of `License` fields. Source: copyright-format 1.0, "Files stanza". */
function licencesOfCopyright(text: string): readonly string[] {
  if (!/^Format: *https?:\/\/\S*copyright-format/m.test(text)) return [];
  const names = [...text.matchAll(/^License:[ \t]*(\S[^\n]*)$/gm)].map(([, name = ""]) => name.trim());
  return [...new Set(names)];
}

/** Undefined where there is no such file, or none of a text's size. */
async function textOf(tree: FileTree, path: string): Promise<string | undefined> {
  const node = tree.get(path);
  if (node?.type !== "file" || contentSize(node.content) > largestText) return undefined;
  return (await readContent(node.content)).toString("utf8");
}
