/** `lists/edits.yaml`: what the edits make of files, and what is refused, with the line. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { bytesContent, FileTree } from "../../src/formats/index.ts";
import { createShell, ProcessGroups } from "../../src/host/index.ts";
import { editTools } from "../../tasks/edit-tools.ts";
import { readEditList } from "../../tasks/image/edit-list.ts";
import { applyEdits, type EditTools } from "../../tasks/image/edits.ts";
import { usesPrograms } from "../support/programs.ts";

usesPrograms("patch");

const mtime = 1_600_000_000;

const core = () =>
  new FileTree()
    .addFile("etc/inittab", bytesContent("::sysinit:/etc/init.d/rcS\ntty1::respawn:/sbin/getty tty1\n"), {
      mtime: 1,
    })
    .addFile("etc/issue", bytesContent(Buffer.from("Core \xe9\n", "latin1")), {
      mtime: 1,
      mode: 0o640,
      gid: 50,
    })
    .addFile("etc/twice", bytesContent("a\nb\na\n"), { mtime: 1 })
    .addDirectory("opt", { mtime: 1 });

const noTools: EditTools = {
  values: {},
  read: async () => undefined,
  patch: async () => "no patches here",
  extension: async () => new Map(),
  run: async () => "no scripts here",
};

async function edited(yaml: string): Promise<FileTree> {
  const tree = new FileTree().addFile("etc/motd", bytesContent("own"), { mtime, mode: 0o600 });
  const image = { tree, core: core(), between: new FileTree(), mtime };
  await applyEdits(image, await readEditList(yaml, "lists/edits.yaml"), noTools);
  return tree;
}

const textIn = async (tree: FileTree, path: string) => (await tree.read(path)).toString("latin1");

/** The image after edits with the program patch and an extension of the test, and what it is not to have. */
async function editedWith(yaml: string, files: Readonly<Record<string, string>> = {}) {
  const scratch = mkdtempSync(path.join(tmpdir(), "edits "));
  try {
    for (const [name, text] of Object.entries(files)) writeFileSync(path.join(scratch, name), text);
    const $ = await createShell({ cwd: scratch, groups: new ProcessGroups(), tools: ["patch"] });
    const extension = new FileTree()
      .addFile("usr/local/bin/tool", bytesContent("tool"), { mtime: 2, mode: 0o755 })
      .addFile("etc/issue", bytesContent("of the extension"), { mtime: 2 })
      .addFile("usr/local/tce.installed/a", bytesContent("#!/bin/sh\n"), { mtime: 2, mode: 0o755 })
      .ensureParents({ mtime: 2 });
    const tools: EditTools = {
      ...editTools({
        ...{ $, scratch, directory: scratch, taken: undefined, values: { VERSION: "1.2", KERNEL: "6.1" } },
        ...{ kernelRelease: "6.1", isNarrow: false, mtime },
      }),
      extension: async () => new Map([["a.tcz", extension]]),
    };
    const tree = new FileTree().addFile("etc/motd", bytesContent("own\n{VERSION} on {KERNEL}, {VERSION}\n"), {
      mtime,
    });
    const between = new FileTree()
      .addFile("opt/gems/x.gem", bytesContent(""), { mtime })
      .ensureParents({ mtime });
    const list = await readEditList(yaml, "lists/edits.yaml");
    const removed = await applyEdits({ tree, core: core(), between, mtime }, list, tools);
    // Contents on the disk go with the directory.
    for (const [name, node] of tree)
      if (node.type === "file") tree.set(name, { ...node, content: bytesContent(await tree.read(name)) });
    return { tree, removed };
  } finally {
    rmSync(scratch, { recursive: true });
  }
}

describe("edits of more than lines", () => {
  it("apply patches of git and of diff to files of Core and the overlay, and make files of them", async () => {
    const good = await editedWith("- patch: a.patch\n", {
      "a.patch":
        "--- a/etc/twice\n+++ b/etc/twice\n@@ -1,3 +1,3 @@\n a\n-b\n+c\n a\n--- /dev/null\n+++ b/etc/new\n@@ -0,0 +1 @@\n+new\n",
    });
    expect(await textIn(good.tree, "etc/twice")).toBe("a\nc\na\n");
    expect(await textIn(good.tree, "etc/new")).toBe("new\n");
    const plain = await editedWith("- patch: {patch: b.patch}\n", {
      "b.patch":
        "--- etc/inittab\t2020-01-01\n+++ etc/inittab\t2020-01-02\n@@ -2 +2 @@\n-tty1::respawn:/sbin/getty tty1\n+tty1::off\n",
    });
    expect(await textIn(plain.tree, "etc/inittab")).toBe("::sysinit:/etc/init.d/rcS\ntty1::off\n");
    const other = editedWith("- patch: b.patch\n", {
      "b.patch": "--- etc/twice\n+++ etc/twice\n@@ -1 +1 @@\n-x\n+y\n",
    });
    await expect(other).rejects.toMatchObject({
      where: "lists/edits.yaml:1",
      message: expect.stringContaining("the patch b.patch does not apply: "),
    });
  });

  it("remove files of the overlay at once, and tell which of lower layers are to go", async () => {
    const { tree, removed } = await editedWith("- remove: [etc/motd, etc/t*]\n- remove: opt/gems\n");
    expect(tree.has("etc/motd")).toBe(false);
    expect(removed).toEqual(["etc/twice", "opt/gems", "opt/gems/x.gem"]);
    const back = await editedWith("- remove: etc/twice\n- link: {from: etc/twice, to: issue}\n");
    expect(back.removed).toEqual([]);
  });

  it("substitute names in braces by values of the build", async () => {
    const { tree } = await editedWith("- substitute: {file: etc/motd}\n");
    expect(await textIn(tree, "etc/motd")).toBe("own\n1.2 on 6.1, 1.2\n");
  });

  it("link only where nothing is, when asked to", async () => {
    const { tree } = await editedWith(
      "- link: {from: etc/issue, to: x, where: free}\n- link: {from: etc/free, to: x, where: free}\n",
    );
    expect([tree.has("etc/issue"), tree.get("etc/free")?.type]).toEqual([false, "symlink"]);
  });

  it("take files of an extension to where they are there, or to a directory", async () => {
    const { tree } = await editedWith(
      '- take: {from: a.tcz, files: "usr/**/tool"}\n- take: {from: a.tcz, files: [usr/local/bin/*], to: /usr/bin}\n- append: {file: usr/bin/tool, text: s}\n',
    );
    expect(tree.get("usr/local/bin/tool")).toMatchObject({ mode: 0o755 });
    expect(await textIn(tree, "usr/bin/tool")).toBe("tool\ns\n");
  });

  it.each([
    ["marker", 0],
    ["boot", 10],
    ["drop", undefined],
  ])("unpack an extension as loading would, its start script as %s", async (installed, size) => {
    const { tree } = await editedWith(`- unpack: {from: a.tcz, installed: ${installed}}\n`);
    expect(tree.has("usr/local/bin/tool")).toBe(true);
    expect(tree.has("etc/issue")).toBe(false);
    const mark = tree.has("usr/local/tce.installed/a")
      ? (await tree.read("usr/local/tce.installed/a")).length
      : undefined;
    expect(mark).toBe(size);
  });
});

describe("edits.yaml", () => {
  it("replaces a line, or a part of one with groups, in a file of Core", async () => {
    const tree = await edited(`
- replace: {file: etc/inittab, line: "tty1::respawn:/sbin/getty tty1", with: "tty1::askfirst:/bin/sh"}
- replace: {file: /etc/inittab, regex: "^(::sysinit:).*", with: "$1/opt/own"}
`);
    expect(await textIn(tree, "etc/inittab")).toBe("::sysinit:/opt/own\ntty1::askfirst:/bin/sh\n");
    expect(tree.get("etc/inittab")).toMatchObject({ mtime });
  });

  it("replaces as many lines as it says, and keeps mode, owner and all other bytes", async () => {
    const tree = await edited(`
- replace: {file: etc/twice, line: a, with: "ä", count: 2}
- append: {file: etc/issue, text: more}
`);
    expect(await textIn(tree, "etc/twice")).toBe(Buffer.from("ä\nb\nä\n").toString("latin1"));
    expect(await textIn(tree, "etc/issue")).toBe("Core \xe9\nmore\n");
    expect(tree.get("etc/issue")).toMatchObject({ mode: 0o640, gid: 50 });
  });

  it("inserts after a line, appends to a file without a line end, and links, in order", async () => {
    const tree = await edited(
      `
- append: {file: etc/motd, text: "one\\ntwo\\n"}
- insert: {file: etc/motd, after: own, text: between}
- link: {from: usr/bin/editor, to: /bin/vi}
`.replaceAll("\\\\", "\\"),
    );
    expect(await textIn(tree, "etc/motd")).toBe("own\nbetween\none\ntwo\n");
    expect(tree.get("etc/motd")).toMatchObject({ mode: 0o600 });
    expect(tree.get("usr/bin/editor")).toMatchObject({ type: "symlink", target: "/bin/vi" });
  });

  it.each([
    ["replace: {}", 1, "the file is not a list"],
    ["- repalce: {file: a}", 1, '"repalce" is no kind of edit'],
    ["- append: {file: etc/motd, txt: x}", 1, '"txt" is not a key of append'],
    ["- append: {file: ../etc/motd, text: x}", 1, '"file" must be a path of the image'],
    ["- append: {file: etc/motd}", 1, 'append needs "text", a text'],
    ["- append: {file: etc/none, text: x}", 1, "the image has no etc/none"],
    ["- append: {file: opt, text: x}", 1, "opt is a directory, not a file"],
    ["- replace: {file: etc/motd, with: x}", 1, "replace needs either line or regex"],
    ['- replace: {file: etc/motd, regex: "(", with: x}', 1, "this is not a regular expression"],
    ["- replace: {file: etc/motd, line: own, with: x, count: 0}", 1, '"count" must be a positive integer'],
    ["- link: {from: etc/motd, to: x}", 1, "etc/motd is a file of the image"],
    ["- link: {from: a, to: x, where: else}", 1, '"where" must be one of: free'],
    ["- remove: etc/none*", 1, "the image has nothing that matches etc/none*"],
    ["- remove: [etc/motd]\n- append: {file: etc/motd, text: x}", 2, "the image has no etc/motd"],
    ["- remove: []", 1, 'remove needs "files", a pattern of paths or a list of them'],
    ["- substitute: {file: etc/motd}", 1, "etc/motd has none of {VERSION}, {VARIANT}, {KERNEL}"],
    [
      "- substitute: {file: etc/motd, names: [DATE]}",
      1,
      '"names" must be of these: VERSION, VARIANT, KERNEL',
    ],
    ["- patch: none.patch", 1, "there is no edits/none.patch"],
    ["- patch: ../x.patch", 1, '"patch" must be a file in edits/'],
    ["- run: none.sh", 1, "there is no edits/none.sh"],
    ["- take: {from: bash, files: x}", 1, '"from" must be the file name of an extension'],
    ["- take: {from: a.tcz, files: usr/x}", 1, "a.tcz has nothing that matches usr/x"],
    ["- unpack: {from: a.tcz, installed: later}", 1, '"installed" must be one of: run, marker, boot, drop'],
    [
      "- append: {file: etc/motd, text: x}\n- replace: {file: etc/twice, line: a, with: b}",
      2,
      "2 lines match in etc/twice, but 1 should: a",
    ],
    [
      "- replace: {file: etc/inittab, line: gone, with: b}",
      1,
      "0 lines match in etc/inittab, but 1 should: gone",
    ],
    ["- insert: {file: etc/twice, after: a, text: b}", 1, "2 lines match in etc/twice, but 1 should: a"],
  ])("is refused with its line: %j", async (yaml, line, message) => {
    await expect(edited(yaml)).rejects.toMatchObject({
      code: "edits",
      where: `lists/edits.yaml:${line}`,
      message,
      hint: expect.stringMatching(/./),
    });
  });
});
