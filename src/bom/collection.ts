/** The bill of an opened image. */
import { createHash } from "node:crypto";
import { open } from "node:fs/promises";
import path from "node:path";
import {
  compareNames,
  contentSize,
  digestContent,
  type FileContent,
  printName,
  readContent,
  streamContent,
} from "../formats/index.ts";
import { findBootFiles, type Image, kernelRelease, type Layer } from "../inspection/index.ts";
import { isInside, releasePath } from "./base.ts";
import type { Bill, BillFile, Component } from "./bill.ts";
import { componentsOf } from "./components.ts";
import type { BillSources } from "./sources.ts";

interface BillOptions extends BillSources {
  /** Absolute path of the image. */
  readonly file: string;
  /** Seconds since 1970; without it, the newest time of the image's own files. */
  readonly time?: number;
  readonly tool: Bill["tool"];
}

/** @throws UserError as the readers of the formats */
export async function billOf(image: Image, options: BillOptions): Promise<Bill> {
  const iso = image.layers.find(({ kind }) => kind === "iso")?.tree;
  const machine = image.view.tree;
  const kernel = iso === undefined ? undefined : (await findBootFiles(iso))?.kernel;
  const components = await componentsOf(
    {
      machine,
      ...(iso === undefined ? {} : { iso }),
      ...(kernel === undefined ? {} : { kernel }),
      release: kernelRelease(machine),
    },
    options,
  );
  const own = ownPaths(image, components, options);
  const files: BillFile[] = [];
  for (const at of own) {
    const { content } = machine.file(at);
    files.push({ path: printName(at), size: contentSize(content), ...(await digestsOf(content)) });
  }
  const { size, sha256 } = await fileDigest(options.file);
  const version = await versionOf(image);
  return {
    image: { name: printName(path.basename(options.file)), size, sha256 },
    ...(version === undefined ? {} : { version }),
    time: options.time ?? newestOf(image, own),
    tool: options.tool,
    components,
    files,
  };
}

/** Files of the machine that no component brings, in byte order. */
function ownPaths(
  { view, layers }: Image,
  components: readonly Component[],
  { extras }: BillSources,
): readonly string[] {
  const core = coreLayer(view.layerOf(releasePath), view.replacedAt(releasePath));
  const directories = new Set(
    components.flatMap(({ kind, file }) => (kind === "extra" && file ? [file] : [])),
  );
  const ofComponents = new Set(components.flatMap(({ file }) => file ?? []));
  // The same extension may lie in several places.
  const extensions = new Set(components.flatMap(({ kind, name }) => (kind === "extension" ? [name] : [])));
  const gems = new Set(components.flatMap(({ kind, id }) => (kind === "gem" ? [id.slice(4)] : [])));
  const isSingle = layers.length === 1;
  return view.tree
    .paths()
    .filter((at) => {
      if (view.tree.get(at)?.type !== "file") return false;
      const layer = view.layerOf(at);
      if (layer === undefined || (layer === core && !isSingle)) return false;
      if (layer.kind === "extension" && !isSingle) return false;
      if (ofComponents.has(at) || isOfExtension(at, extensions) || isInside(at, directories)) return false;
      return !isOfGem(at, gems) && !extras.some(({ paths }) => paths.has(at));
    })
    .sort(compareNames);
}

/** The lowest layer that has Tiny Core's release file. */
function coreLayer(last: Layer | undefined, lower: readonly Layer[]): Layer | undefined {
  return lower[0] ?? last;
}

/** `NAME.tcz`, and `NAME.tcz.dep` and the like beside it. */
function isOfExtension(at: string, extensions: ReadonlySet<string>): boolean {
  const [, name] = /([^/]*\.tcz)(?:\.[a-z0-9.]+)?$/.exec(at) ?? [];
  return name !== undefined && extensions.has(name);
}

/** Where RubyGems lays a gem out: `…/gems/FULLNAME/` and `…/specifications/FULLNAME.gemspec`. */
function isOfGem(at: string, gems: ReadonlySet<string>): boolean {
  const [, name] = /\/gems\/[^/]+\/(?:gems|specifications)\/([^/]+?)(?:\.gemspec)?(?:\/|$)/.exec(at) ?? [];
  return name !== undefined && gems.has(name);
}

async function digestsOf(content: FileContent): Promise<Pick<BillFile, "sha256" | "sha1">> {
  const [sha256, sha1] = [createHash("sha256"), createHash("sha1")];
  for await (const bytes of streamContent(content)) {
    sha256.update(bytes);
    sha1.update(bytes);
  }
  return { sha256: sha256.digest("hex"), sha1: sha1.digest("hex") };
}

async function fileDigest(file: string): Promise<{ readonly size: number; readonly sha256: string }> {
  const handle = await open(file, "r");
  try {
    const { size } = await handle.stat();
    const content: FileContent = { kind: "file", path: file, offset: 0, size };
    return { size, sha256: await digestContent(content) };
  } finally {
    await handle.close();
  }
}

/** What the image says of its version. */
async function versionOf({ view }: Image): Promise<string | undefined> {
  const node = view.tree.get("tmp/mk-version.yaml");
  if (node?.type !== "file" || contentSize(node.content) > 4096) return undefined;
  const text = (await readContent(node.content)).toString("utf8");
  return /^mk_version: *"?([\w.+~-]{1,64})"?$/m.exec(text)?.[1];
}

function newestOf({ view }: Image, own: readonly string[]): number {
  const newest = own.reduce((most, at) => Math.max(most, view.tree.get(at)?.mtime ?? 0), 0);
  return Math.min(newest, 0xffff_ffff);
}
