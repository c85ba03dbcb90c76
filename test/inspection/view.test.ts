/** Images opened: layers, the booted machine's view, load order of extensions. */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { beforeAll, describe, expect, it } from "vitest";
import {
  bytesContent,
  FileTree,
  joinLayers,
  packSquashfs,
  readContent,
  writeLayer,
} from "../../src/formats/index.ts";
import { chooseView, findEntries, findPath, type Image, openImage } from "../../src/inspection/index.ts";
import { useWorkspace } from "../formats/workspace.ts";
import { usesPrograms } from "../support/programs.ts";

usesPrograms("mksquashfs");

const workspace = useWorkspace();
const mtime = 1_700_000_000;
let places = 0;

/** An extension with these files, as content of the image. */
async function extension(files: Readonly<Record<string, string>>): Promise<ReturnType<typeof bytesContent>> {
  const from = workspace.path(`extension-${++places}`);
  for (const [name, text] of Object.entries(files)) {
    await mkdir(`${from}/${name}`.replace(/\/[^/]*$/, ""), { recursive: true });
    await writeFile(`${from}/${name}`, text);
  }
  await packSquashfs(workspace.$, from, `${from}.tcz`, { epoch: mtime });
  return bytesContent(await readFile(`${from}.tcz`));
}

async function opened(name: string, layers: readonly FileTree[], notes: string[] = []): Promise<Image> {
  const files: string[] = [];
  for (const [index, tree] of layers.entries()) {
    const file = workspace.path(`${name}-${index}`);
    // Plain and compressed archives in turn.
    await writeLayer(tree.ensureParents({ mtime }), file, index % 2 === 0 ? { level: "none" } : {});
    files.push(file);
  }
  await joinLayers(files, workspace.path(name));
  const spoolDir = workspace.path(`${name}.spool`);
  return await openImage(workspace.path(name), { spoolDir, note: (message) => notes.push(message) });
}

async function textAt(image: Image, path: string): Promise<string> {
  return (await readContent(image.view.tree.file(path).content)).toString("utf8");
}

const from = (image: Image, path: string): string | undefined => image.view.layerOf(path)?.name;
const names = (layers: readonly { readonly name: string }[]): readonly string[] =>
  layers.map(({ name }) => name);

describe("archives of an initrd", () => {
  it("replace one another in their order, and are named", async () => {
    const image = await opened("archives", [
      new FileTree()
        .addFile("etc/a", bytesContent("one"), { mtime })
        .addFile("etc/b", bytesContent("b"), { mtime }),
      new FileTree().addFile("etc/a", bytesContent("two"), { mtime }),
      new FileTree().addFile("etc/a", bytesContent("three"), { mtime }),
    ]);
    expect(names(image.layers)).toEqual(["layer 1", "layer 2", "layer 3"]);
    expect(await textAt(image, "etc/a")).toBe("three");
    expect(from(image, "etc/a")).toBe("layer 3");
    expect(names(image.view.replacedAt("etc/a"))).toEqual(["layer 1", "layer 2"]);
    expect(from(image, "etc/b")).toBe("layer 1");
    expect(image.view.replacedAt("etc")).toEqual([]);
    const { tree } = await chooseView(image, "2");
    expect((await readContent(tree.file("etc/a").content)).toString()).toBe("two");
  });

  it("put a directory in the place of a link, as the kernel does", async () => {
    const image = await opened("through", [
      new FileTree().addDirectory("usr/lib", { mtime }).addSymlink("lib", "usr/lib", { mtime }),
      new FileTree().addFile("lib/x", bytesContent("x"), { mtime }),
    ]);
    expect(image.view.tree.get("lib")?.type).toBe("directory");
    expect(from(image, "lib/x")).toBe("layer 2");
    expect(findPath(image.view.tree, "/usr/../lib/./x")).toBe("lib/x");
  });

  it("tell what the kernel cannot make of them", async () => {
    const notes: string[] = [];
    await opened(
      "lost",
      [
        new FileTree().addFile("etc/a/b", bytesContent("b"), { mtime }),
        new FileTree().addFile("etc/a", bytesContent("a file"), { mtime }),
      ],
      notes,
    );
    expect(notes).toEqual([
      "etc/a of layer 2 is lost: a lower layer has a directory there that is not empty",
    ]);
  });
});

describe("extensions", () => {
  let image: Image;
  const notes: string[] = [];

  beforeAll(async () => {
    const optional = "tmp/builtin/optional";
    const tree = new FileTree()
      .addFile("etc/own", bytesContent("the image's"), { mtime })
      .addDirectory("lib/modules/6.1.2-tinycore64", { mtime })
      .addFile(
        "tmp/builtin/onboot.lst",
        bytesContent("# a comment\n\nfirst.tcz\nbad.tcz\nring-a.tcz\nmissing.tcz\n"),
        { mtime },
      )
      .addFile(
        `${optional}/first.tcz`,
        await extension({ "usr/local/first": "first", "etc/own": "first's", "usr/local/both": "first" }),
        { mtime },
      )
      .addFile(`${optional}/first.tcz.dep`, bytesContent("base.tcz\nnet-KERNEL.tcz"), { mtime })
      .addFile(`${optional}/base.tcz`, await extension({ "usr/local/both": "base" }), { mtime })
      .addFile(`${optional}/net-6.1.2-tinycore64.tcz`, await extension({ "usr/local/net": "net" }), { mtime })
      .addFile(`${optional}/ring-a.tcz`, await extension({ "usr/local/ring": "a" }), { mtime })
      .addFile(`${optional}/ring-a.tcz.dep`, bytesContent("ring-b.tcz"), { mtime })
      .addFile(`${optional}/ring-b.tcz`, await extension({ "usr/local/ring": "b" }), { mtime })
      .addFile(`${optional}/ring-b.tcz.dep`, bytesContent("ring-a.tcz"), { mtime })
      .addFile(`${optional}/bad.tcz`, bytesContent("no file system"), { mtime })
      .addFile("tmp/mirror/spare.tcz", await extension({ "usr/local/spare": "spare" }), { mtime });
    image = await opened("extensions", [tree], notes);
  });

  it("are laid on the image in load order, what an extension needs first", () => {
    expect(names(image.layers)).toEqual([
      "layer 1",
      "base.tcz",
      "net-6.1.2-tinycore64.tcz",
      "first.tcz",
      "ring-b.tcz",
      "ring-a.tcz",
    ]);
  });

  it("replace nothing, as tce-load copies with cp -i and answers no", async () => {
    expect(await textAt(image, "etc/own")).toBe("the image's");
    expect(names(image.view.unusedAt("etc/own"))).toEqual(["first.tcz"]);
    expect(await textAt(image, "usr/local/both")).toBe("base");
    expect(names(image.view.unusedAt("usr/local/both"))).toEqual(["first.tcz"]);
    expect(from(image, "usr/local/first")).toBe("first.tcz");
    expect(await textAt(image, "usr/local/ring")).toBe("b");
  });

  it("that cannot be read, or are missing, are told and omitted", () => {
    expect(notes).toEqual([
      expect.stringMatching(/^omitted tmp\/builtin\/optional\/missing\.tcz: onboot\.lst names it, but/),
      expect.stringMatching(
        /^omitted tmp\/builtin\/optional\/bad\.tcz: the squashfs file cannot be mounted: /,
      ),
    ]);
  });

  it("are found with their files, loaded or not", async () => {
    expect(await findEntries(image, "both")).toEqual([
      { path: "usr/local/both", type: "file", layer: "base.tcz", use: "used" },
      { path: "usr/local/both", type: "file", layer: "first.tcz", use: "unused" },
    ]);
    expect(await findEntries(image, "local/sp*re")).toEqual([
      { path: "usr/local/spare", type: "file", layer: "spare.tcz", use: "not loaded" },
    ]);
    expect(await findEntries(image, "/local/spare")).toEqual([]);
    expect(await findEntries(image, "?wn")).toHaveLength(2);
    expect((await chooseView(image, "spare")).tree.paths()).toEqual(["usr", "usr/local", "usr/local/spare"]);
  });

  it("and layers with another name are answered with the nearest one", async () => {
    await expect(chooseView(image, "frist.tcz")).rejects.toMatchObject({
      code: "layer-unknown",
      hint: expect.stringContaining("first.tcz"),
    });
  });
});

describe("a pattern", () => {
  it("with many stars takes no time that grows with its powers", async () => {
    const image = await opened("stars", [
      new FileTree().addFile("a".repeat(200), bytesContent(""), { mtime }),
    ]);
    const before = process.cpuUsage();
    expect(await findEntries(image, `${"a*".repeat(60)}b`)).toEqual([]);
    expect(process.cpuUsage(before).user / 1000).toBeLessThan(2000);
  });
});
