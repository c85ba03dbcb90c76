/** The gems of an image as components, by their own specifications. */
import path from "node:path";
import { messageOf, UserError } from "../errors/index.ts";
import {
  contentSize,
  type FileContent,
  type FileTree,
  printName,
  readGemSpecification,
  streamContent,
  writeDigested,
} from "../formats/index.ts";
import type { Component } from "./bill.ts";
import { readLicences } from "./licence.ts";
import { gemPurl, genericPurl } from "./package-url.ts";
import type { BillSources } from "./sources.ts";

interface FoundGem {
  readonly component: Component;
  /** Names of the gems that it needs. */
  readonly wants: readonly string[];
}

/** Every gem of the tree, each once by its file name. */
export async function gemComponents(tree: FileTree, sources: BillSources): Promise<readonly Component[]> {
  const found = new Map<string, FoundGem>();
  for (const [at, node] of tree) {
    const name = at.slice(at.lastIndexOf("/") + 1);
    if (node.type === "file" && name.endsWith(".gem") && !found.has(name))
      found.set(name, await describe(at, node.content, sources));
  }
  const all = [...found.values()];
  return all.map(({ component, wants }) => ({
    ...component,
    needs: wants.flatMap((want) =>
      all.filter((one) => one.component.name === want).map((one) => one.component.id),
    ),
  }));
}

async function describe(at: string, content: FileContent, sources: BillSources): Promise<FoundGem> {
  const file = printName(at);
  const name = file.slice(file.lastIndexOf("/") + 1);
  const copy = path.join(sources.spoolDir, "gem");
  const { sha256 } = await writeDigested(copy, streamContent(content));
  const url = sources.downloads.get(sha256)?.url;
  const base = { file, size: contentSize(content), sha256, needs: [], contains: [], ...(url && { url }) };
  try {
    const gem = await readGemSpecification(copy, name);
    const { summary, homepage } = gem;
    const component: Component = {
      ...base,
      ...{ id: `gem/${gem.fullName}`, kind: "gem", name: gem.name, version: gem.version },
      ...(summary === undefined ? {} : { description: summary }),
      ...(homepage !== undefined && /^https?:\/\/\S+$/.test(homepage) ? { homepage } : {}),
      licences: await readLicences(gem.licences),
      purl: await gemPurl(gem.name, gem.version, gem.platform),
    };
    return { component, wants: gem.needs };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    sources.note(`${file}: ${messageOf(error)}`);
    const purl = await genericPurl(name, undefined, { url, sha256 });
    return { component: { ...base, id: `gem/${name}`, kind: "gem", name, licences: [], purl }, wants: [] };
  }
}
