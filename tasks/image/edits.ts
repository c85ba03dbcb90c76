/** The edits of `lists/edits.yaml` made: a file of Core's that is edited becomes a file of the overlay. */
import path from "node:path";
import { bytesContent, type FileNode, FileTree, printName } from "../../src/formats/index.ts";
import type { Edit, EditList } from "./edit-list.ts";
import { addExtension, addMark, scriptOf } from "./unpacked-extension.ts";

/** The image that is edited, as far as edits see it. */
interface EditedImage {
  /** The overlay's own files: it gets what changes. */
  readonly tree: FileTree;
  /** Core's files with contents: it loses what is removed. */
  readonly core: FileTree;
  /** What the layers between them have, without contents. */
  readonly between: FileTree;
  /** Seconds since 1970, of what changes. */
  readonly mtime: number;
}

/** What edits need beside the image's files. */
export interface EditTools {
  /** What substituted names stand for. */
  readonly values: Readonly<Record<string, string>>;
  /** A file of `edits/`; undefined where it has none of this name. */
  readonly read: (name: string) => Promise<Buffer | undefined>;
  /** The files after a patch (its text); `undefined` with the reason where it does not apply. */
  readonly patch: (files: FileTree, text: Buffer) => Promise<FileTree | string>;
  /** The extension's tree, and before it those that it needs, by file name. */
  readonly extension: (name: string) => Promise<ReadonlyMap<string, FileTree>>;
  /** Runs a shell text in the image's files; what it changed, and the paths that it removed; a text where it failed. */
  readonly run: (
    image: FileTree,
    script: string,
  ) => Promise<{ readonly changed: FileTree; readonly removed: readonly string[] } | string>;
}

type Fail = (message: string, hint: string) => Error;

const asked = "has the base changed? Compare the file with `task cat`, and adapt the edit";

/**
 * Makes the edits in the overlay's tree, in order. Returns the paths of lower layers that the image is not to have.
 * @throws UserError `edits` where one does not fit the image
 */
export async function applyEdits(
  image: EditedImage,
  { edits, error }: EditList,
  tools: EditTools,
): Promise<readonly string[]> {
  const editing = new Editing(image, tools);
  for (const [index, edit] of edits.entries())
    await editing.make(edit, (message, hint) => error(index, message, hint));
  return editing.removed();
}

class Editing {
  readonly #image: EditedImage;
  readonly #tools: EditTools;
  readonly #removed = new Set<string>();

  constructor(image: EditedImage, tools: EditTools) {
    this.#image = image;
    this.#tools = tools;
  }

  /** Paths of lower layers that are gone, unless a later edit brought them back. */
  removed(): readonly string[] {
    return [...this.#removed].filter((name) => !this.#image.tree.has(name)).sort();
  }

  async make(edit: Edit, fail: Fail): Promise<void> {
    switch (edit.kind) {
      case "link":
        return this.#link(edit, fail);
      case "remove":
        return await this.#remove(edit.patterns, fail);
      case "patch":
        return await this.#patch(edit.patch, fail);
      case "take":
        return await this.#take(edit, fail);
      case "unpack":
        return await this.#unpack(edit, fail);
      case "run":
        return await this.#run(await this.#own(edit.script, fail), `the script ${edit.script}`, fail);
      default:
        return await this.#editFile(edit, fail);
    }
  }

  #link({ file, target, isOptional }: Extract<Edit, { readonly kind: "link" }>, fail: Fail): void {
    const { tree, core, between, mtime } = this.#image;
    const node = tree.get(file) ?? core.get(file) ?? between.get(file);
    if (node !== undefined && isOptional) return;
    if (node !== undefined && node.type !== "symlink")
      throw fail(
        `${file} is a ${node.type} of the image`,
        "choose a path where nothing is, or write where: free",
      );
    tree.addSymlink(file, target, { mtime });
  }

  async #editFile(edit: TextEdit, fail: Fail): Promise<void> {
    const { tree, core, mtime } = this.#image;
    const node = tree.get(edit.file) ?? core.get(edit.file);
    if (node?.type !== "file")
      throw fail(
        node === undefined ? `the image has no ${edit.file}` : `${edit.file} is a ${node.type}, not a file`,
        "look for it with `task find`; files of extensions can be edited after take or unpack",
      );
    const from = tree.get(edit.file) === node ? tree : core;
    const text = (await from.read(edit.file)).toString("latin1");
    const edited = editText(text, edit, this.#tools.values, fail);
    tree.set(edit.file, {
      ...withoutLinks(node),
      content: bytesContent(Buffer.from(edited, "latin1")),
      mtime,
    });
  }

  async #remove(patterns: readonly string[], fail: Fail): Promise<void> {
    const { tree, core, between } = this.#image;
    const { default: picomatch } = await import("picomatch");
    for (const pattern of patterns) {
      const matches = picomatch(pattern, { dot: true });
      const all = new Set([tree, core, between].flatMap((one) => [...one.paths()]));
      const found = [...all].filter((name) => !this.#removed.has(name) && matches(name));
      if (found.length === 0) throw fail(`the image has nothing that matches ${pattern}`, asked);
      for (const name of found) this.#drop(name);
    }
  }

  /** Takes a path, and all below it, out of the image. */
  #drop(name: string): void {
    const { tree, core, between } = this.#image;
    for (const one of [tree, core, between]) {
      for (const at of [name, ...one.below(name)]) {
        if (one.has(at) && one !== tree) this.#removed.add(at);
        if (one !== between) one.delete(at);
      }
    }
  }

  async #patch(name: string, fail: Fail): Promise<void> {
    const { tree, core, mtime } = this.#image;
    const text = await this.#own(name, fail);
    const files = new FileTree();
    for (const file of patchedFiles(text.toString("latin1"))) {
      const node = tree.get(file) ?? core.get(file);
      if (node?.type === "file") files.set(file, withoutLinks(node));
    }
    const after = await this.#tools.patch(files, text);
    if (typeof after === "string") throw fail(`the patch ${name} does not apply: ${after}`, asked);
    for (const [file] of files) if (!after.has(file)) this.#drop(file);
    for (const [file, node] of after) {
      if (node.type !== "file") continue;
      const before = files.get(file);
      tree.set(
        file,
        before?.type === "file" ? { ...before, content: node.content, mtime } : { ...node, mtime },
      );
    }
  }

  async #take({ from, patterns, to }: Extract<Edit, { readonly kind: "take" }>, fail: Fail): Promise<void> {
    const { tree } = this.#image;
    const extension = (await this.#tools.extension(from)).get(from) ?? new FileTree();
    const { default: picomatch } = await import("picomatch");
    for (const pattern of patterns) {
      const matches = picomatch(pattern, { dot: true });
      const found = extension
        .paths()
        .filter((name) => matches(name) && extension.get(name)?.type !== "directory");
      if (found.length === 0)
        throw fail(`${from} has nothing that matches ${pattern}`, `look into it: task ls ${from}`);
      for (const name of found) {
        const node = extension.get(name);
        const target = to === "" ? name : `${to}/${path.posix.basename(name)}`;
        if (node !== undefined) tree.set(target, node.type === "file" ? withoutLinks(node) : node);
      }
    }
  }

  async #unpack({ from, installed }: Extract<Edit, { readonly kind: "unpack" }>, fail: Fail): Promise<void> {
    const { tree, core, mtime } = this.#image;
    for (const [name, extension] of await this.#tools.extension(from)) {
      addExtension(tree, core, extension);
      const script = scriptOf(name);
      if (installed === "run" && tree.get(script)?.type === "file")
        await this.#run(
          Buffer.from(`[ ! -s /${script} ] || /${script}\n`),
          `the start script of ${name}`,
          fail,
        );
      if (installed === "drop") tree.delete(script);
      if (installed === "run" || installed === "marker") addMark(tree, name, mtime);
    }
  }

  async #run(script: Buffer, what: string, fail: Fail): Promise<void> {
    const { tree, core } = this.#image;
    const whole = new FileTree([...core, ...tree]);
    const result = await this.#tools.run(whole, script.toString("utf8"));
    if (typeof result === "string") throw fail(`${what} failed: ${result}`, "correct the script");
    for (const name of result.removed) this.#drop(name);
    for (const [name, node] of result.changed) tree.set(name, node);
  }

  async #own(name: string, fail: Fail): Promise<Buffer> {
    const bytes = await this.#tools.read(name);
    if (bytes === undefined) throw fail(`there is no edits/${name}`, "correct the name, or add the file");
    return bytes;
  }
}

type TextEdit = Extract<Edit, { readonly kind: "replace" | "insert" | "append" | "substitute" }>;

function withoutLinks({ linkGroup: _, ...node }: FileNode): FileNode {
  return node;
}

/** The files that a unified diff is about, without the `a/` and `b/` of git. */
function patchedFiles(patch: string): readonly string[] {
  const names = [...patch.matchAll(/^(?:---|\+\+\+) ([^\t\n]+)/gm)].map(([, name = ""]) => name.trim());
  return [
    ...new Set(names.filter((name) => name !== "/dev/null").map((name) => name.replace(/^[ab]?\//, ""))),
  ];
}

function editText(
  text: string,
  edit: TextEdit,
  values: Readonly<Record<string, string>>,
  fail: Fail,
): string {
  const lines = text.split("\n");
  switch (edit.kind) {
    case "append":
      return `${text === "" || text.endsWith("\n") ? text : `${text}\n`}${bytesOf(edit.text).replace(/\n?$/, "\n")}`;
    case "insert": {
      const places = lines.flatMap((line, place) => (line === bytesOf(edit.after) ? [place] : []));
      const [place, ...more] = places;
      if (place === undefined || more.length > 0)
        throw fail(`${matching(places.length)} in ${edit.file}, but 1 should: ${edit.after}`, asked);
      return lines.toSpliced(place + 1, 0, ...bytesOf(edit.text).replace(/\n$/, "").split("\n")).join("\n");
    }
    case "replace": {
      const found = lines.filter((line) => edit.pattern.test(line)).length;
      if (found !== edit.count)
        throw fail(`${matching(found)} in ${edit.file}, but ${edit.count} should: ${edit.wanted}`, asked);
      const replacement = bytesOf(edit.replacement);
      return lines.map((line) => line.replace(edit.pattern, replacement)).join("\n");
    }
    case "substitute": {
      const names = edit.names.filter((name) => text.includes(`{${name}}`));
      if (names.length === 0)
        throw fail(
          `${printName(edit.file)} has none of ${edit.names.map((name) => `{${name}}`).join(", ")}`,
          "write a name in braces where its value belongs",
        );
      return names.reduce((done, name) => done.replaceAll(`{${name}}`, bytesOf(values[name] ?? "")), text);
    }
  }
}

function matching(lines: number): string {
  return lines === 1 ? "1 line matches" : `${lines} lines match`;
}

/** Text as the bytes of its UTF-8, each a character, as files are read here. */
function bytesOf(text: string): string {
  return Buffer.from(text, "utf8").toString("latin1");
}
