/** `lists/edits.yaml`: what the edits make of files, and what is refused, with the line. */
import { describe, expect, it } from "vitest";
import { bytesContent, FileTree } from "../../src/formats/index.ts";
import { readEditList } from "../../tasks/image/edit-list.ts";
import { applyEdits } from "../../tasks/image/edits.ts";

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

async function edited(yaml: string): Promise<FileTree> {
  const tree = new FileTree().addFile("etc/motd", bytesContent("own"), { mtime, mode: 0o600 });
  await applyEdits(tree, core(), await readEditList(yaml, "lists/edits.yaml"), mtime);
  return tree;
}

const textIn = async (tree: FileTree, path: string) => (await tree.read(path)).toString("latin1");

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
