/**
 * An image of any kind, opened: its layers, and what the booted machine sees. Contents stay where they are; only what is
 * compressed as a whole is unpacked, to the spool directory.
 */
import path from "node:path";
import {
  type DiskVolume,
  describeProblem,
  type FileContent,
  type FileTree,
  type MergeProblem,
  mergeLayers,
  readDiskImage,
  readInitrd,
  readIsoTree,
  readSquashfsTree,
  type UnpackLimits,
} from "../formats/index.ts";
import { findBootFiles } from "./boot-files.ts";
import { contentOfFile, openContainer, Spool } from "./container.ts";
import { type ExtensionPlace, kernelRelease, loadedExtensions, otherExtensions } from "./extensions.ts";
import { type ImageKind, imageKind } from "./image-kind.ts";
import type { Layer } from "./layer.ts";
import { mergeView, type View, viewOfLayer, viewOfParts } from "./view.ts";

interface ImageOptions {
  /** Absolute path of an empty directory for what has to be unpacked; the caller removes it when the image is done with. */
  readonly spoolDir: string;
  readonly limits?: UnpackLimits;
  /** Called with what cannot be read and is omitted. */
  readonly note?: (message: string) => void;
}

export interface Image {
  readonly kind: ImageKind | "bundle";
  /** In the order in which they apply: the ISO or bundle itself, archives of the initrd, extensions. */
  readonly layers: readonly Layer[];
  /** What the booted machine sees; the files of the image itself where it boots nothing. */
  readonly view: View;
  /** Arguments of the kernel in the default entry of the boot menu; none where there is no menu. */
  readonly bootArguments: readonly string[];
  /** Extensions that are not loaded at boot. */
  readonly others: () => Promise<readonly Layer[]>;
}

/**
 * Opens the image at `file` (absolute).
 * @throws UserError `unreadable-file`, `not-a-file`, `not-an-image`, and those of the readers of the formats
 */
export async function openImage(file: string, options: ImageOptions): Promise<Image> {
  const content = await contentOfFile(file);
  const kind = await imageKind(content, file);
  const opener = new ImageOpener(file, options);
  switch (kind) {
    case "ISO":
      return await opener.iso();
    case "initrd":
      return await opener.initrd();
    case "tarball":
      return await opener.tarball(content);
    case "squashfs":
      return await opener.squashfs(content);
    case "disk image":
      return await opener.disk();
  }
}

const dependency = /^dependencies\/[^/]+\.(?:tar\.gz|tgz)$/;

class ImageOpener {
  readonly #file: string;
  readonly #options: ImageOptions;
  readonly #limits: UnpackLimits;
  readonly #spool: Spool;
  #archives = 0;
  #bootArguments: readonly string[] = [];

  constructor(file: string, options: ImageOptions) {
    this.#file = file;
    this.#options = options;
    this.#limits = options.limits ?? {};
    this.#spool = new Spool(options.spoolDir, this.#limits);
  }

  async iso(): Promise<Image> {
    const tree = await readIsoTree(this.#file, this.#limits);
    const iso: Layer = { name: "iso", kind: "iso", isSeen: false, tree };
    const archives = await this.#bootArchives(tree, this.#file);
    if (archives.length === 0) return single("ISO", { ...iso, isSeen: true });
    return await this.#machine("ISO", [iso], archives, [{ tree, label: this.#file, directory: "cde" }]);
  }

  async initrd(): Promise<Image> {
    return await this.#machine("initrd", [], await this.#archivesOf({ path: this.#file }, this.#file), []);
  }

  async squashfs(content: FileContent): Promise<Image> {
    const stretch = { path: this.#file, offset: 0, size: content.kind === "file" ? content.size : 0 };
    const tree = await readSquashfsTree(stretch, { limits: this.#limits });
    return single("squashfs", { name: path.basename(this.#file), kind: "extension", isSeen: true, tree });
  }

  /** What a disk boots is like what an ISO boots; Tiny Core has its extensions in `tce` there. */
  async disk(): Promise<Image> {
    const { note = () => {} } = this.#options;
    const volumes = await readDiskImage(this.#file, { limits: this.#limits, note });
    const nameOf = ({ partition }: DiskVolume): string =>
      partition === undefined ? "disk" : `partition ${partition}`;
    const layers = volumes.map((volume): Layer => {
      return { name: nameOf(volume), kind: "partition", isSeen: false, tree: volume.tree };
    });
    const beside = volumes.flatMap(({ tree }) =>
      ["tce", "cde"].map((directory) => ({ tree, label: this.#file, directory })),
    );
    for (const { tree, name } of layers) {
      const archives = await this.#bootArchives(tree, `${this.#file}: ${name}`);
      if (archives.length > 0) return await this.#machine("disk image", layers, archives, beside);
    }
    const [only] = layers;
    if (only !== undefined && layers.length === 1) return single("disk image", { ...only, isSeen: true });
    const seen = layers.map((layer) => ({ ...layer, isSeen: true }));
    return { ...none, kind: "disk image", layers: seen, view: viewOfParts(seen) };
  }

  async tarball(content: FileContent): Promise<Image> {
    const { tree } = await openContainer("tarball", content, this.#spool);
    const itself: Layer = { name: path.basename(this.#file), kind: "tarball", isSeen: true, tree };
    const paths = tree.paths();
    const [iso, another] = paths.filter((one) => /^[^/]+\.iso$/i.test(one));
    const dependencies = paths.filter((one) => dependency.test(one));
    if (iso === undefined || another !== undefined || dependencies.length === 0) {
      return await this.#machine("tarball", [], [itself], []);
    }
    const core = await openContainer("ISO", tree.file(iso).content, this.#spool);
    const archives: Layer[] = [...(await this.#bootArchives(core.tree, core.file))];
    for (const name of dependencies) {
      const { tree: layer } = await openContainer("tarball", tree.file(name).content, this.#spool);
      layer.delete(".");
      archives.push({
        name: path.posix.basename(name),
        kind: "tarball",
        isSeen: true,
        tree: withParents(layer, archives),
      });
    }
    return await this.#machine("bundle", [{ ...itself, name: "bundle", isSeen: false }], archives, []);
  }

  /** The archives of the initrds that the ISO at `file` starts. */
  async #bootArchives(iso: FileTree, file: string): Promise<readonly Layer[]> {
    const archives: Layer[] = [];
    const boot = await findBootFiles(iso);
    this.#bootArguments = boot?.args ?? [];
    for (const initrd of boot?.initrds ?? []) {
      const { content } = iso.file(initrd);
      const place =
        content.kind === "file"
          ? { path: content.path, part: content }
          : { path: await this.#spool.fileOf(content) };
      archives.push(...(await this.#archivesOf(place, `${file}: ${initrd}`)));
    }
    return archives;
  }

  async #archivesOf(
    {
      path: file,
      part,
    }: { readonly path: string; readonly part?: { readonly offset: number; readonly size: number } },
    name: string,
  ): Promise<readonly Layer[]> {
    const { limits } = this.#spool;
    const members = await this.#spool.fill((spoolDir) =>
      readInitrd(file, { spoolDir, limits, name, ...(part === undefined ? {} : { part }) }),
    );
    return members.map(({ tree }) => {
      this.#archives += 1;
      return { name: `layer ${this.#archives}`, kind: "archive", isSeen: true, tree };
    });
  }

  async #machine(
    kind: Image["kind"],
    itself: readonly Layer[],
    archives: readonly Layer[],
    beside: readonly ExtensionPlace[],
  ): Promise<Image> {
    const merged = mergeLayers(archives.map((layer) => layer.tree));
    const note = this.#options.note ?? (() => {});
    noteLost(merged.problems, archives, note);
    const { tree } = merged;
    const places = [{ tree, label: this.#file, directory: "tmp/builtin" }, ...beside];
    const options = {
      limits: this.#limits,
      fileOf: (content: FileContent) => this.#spool.fileOf(content),
      release: kernelRelease(tree),
      note,
    };
    const extensions = await loadedExtensions(places, options);
    return {
      kind,
      layers: [...itself, ...archives, ...extensions],
      view: mergeView(merged, archives, extensions),
      bootArguments: this.#bootArguments,
      others: () => otherExtensions(places, extensions, options),
    };
  }
}

const lostKinds: ReadonlySet<MergeProblem["kind"]> = new Set([
  "lost-under-directory",
  "hard-link-lost",
  "parent-missing",
]);
const mostNotes = 10;

/** Entries of the archives that the kernel does not make are in no view. */
function noteLost(
  problems: readonly MergeProblem[],
  archives: readonly Layer[],
  note: (message: string) => void,
): void {
  const lost = problems.filter(({ kind }) => lostKinds.has(kind));
  const nameOf = (layer: number): string => archives[layer]?.name ?? `layer ${layer + 1}`;
  for (const problem of lost.slice(0, mostNotes)) note(describeProblem(problem, nameOf));
  if (lost.length > mostNotes) note(`${lost.length - mostNotes} more entries are lost in the same way`);
}

/** Of an image that boots nothing. */
const none = { bootArguments: [], others: async () => [] } as const;

function single(kind: ImageKind, layer: Layer): Image {
  return { ...none, kind, layers: [layer], view: viewOfLayer(layer) };
}

/** The tree of a tarball with the directories that tar makes by itself, where no lower layer has them. */
function withParents(tree: FileTree, lower: readonly Layer[]): FileTree {
  const whole = tree.clone().ensureParents({ mtime: 0 });
  for (const path of whole.paths()) {
    if (!tree.has(path) && lower.some((layer) => layer.tree.has(path))) whole.delete(path);
  }
  return whole;
}
