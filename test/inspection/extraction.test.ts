/** Entries laid out in a directory: never outside it, nothing replaced, owners and devices where they belong. */
import { lstat, mkdir, readdir, readFile, readlink, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { bytesContent, FileTree } from "../../src/formats/index.ts";
import { type ExtractionOptions, extractEntries } from "../../src/inspection/index.ts";
import { useWorkspace } from "../formats/workspace.ts";
import { makeCanary } from "../hostile/canary.ts";

const workspace = useWorkspace();
const mtime = 1_700_000_000;
let places = 0;

const asUser: ExtractionOptions = {
  isRoot: false,
  keep: false,
  label: "image",
  hint: "empty it",
  makeDevice: async () => {
    throw new Error("only root makes devices");
  },
};

const directoryName = (): string => workspace.path(`out ${++places}`);

function variedTree(): FileTree {
  const owner = { uid: 7, gid: 50, mtime };
  const content = bytesContent("twice\n");
  return new FileTree()
    .addFile("bin/su", bytesContent("#!/bin/sh\n"), { ...owner, mode: 0o4755 })
    .addDirectory("root", { mtime, mode: 0o500 })
    .addFile("root/read-only", bytesContent("text\n"), { ...owner, mode: 0o400 })
    .addSymlink("etc/link", "/etc/passwd", { mtime })
    .set("dev/console", { type: "char", major: 5, minor: 1, mode: 0o600, uid: 0, gid: 5, mtime })
    .set("dev/pipe", { type: "fifo", mode: 0o622, uid: 0, gid: 0, mtime })
    .set("a", { type: "file", content, linkGroup: "g", mode: 0o644, ...owner })
    .set("b", { type: "file", content, linkGroup: "g", mode: 0o644, ...owner })
    .addFile("a name\twith #odd\\ \udcfcletters", bytesContent(""), owner)
    .ensureParents({ mtime });
}

async function extract(
  tree: FileTree,
  options: Partial<ExtractionOptions> = {},
  paths: readonly string[] = tree.paths(),
  directory = directoryName(),
): Promise<string> {
  await extractEntries(tree, paths, directory, { ...asUser, ...options });
  return directory;
}

describe("extraction by another user than root", () => {
  it("writes files, links and times, and the rest into a manifest in mtree(5)'s format", async () => {
    const directory = await extract(variedTree());
    const status = await lstat(`${directory}/bin/su`);
    expect([status.mode & 0o7777, status.mtimeMs / 1000]).toEqual([0o755, mtime]);
    expect((await lstat(`${directory}/root`)).mtimeMs / 1000).toBe(mtime);
    expect(await readlink(`${directory}/etc/link`)).toBe("/etc/passwd");
    expect((await lstat(`${directory}/a`)).ino).toBe((await lstat(`${directory}/b`)).ino);
    expect(await readdir(`${directory}/dev`)).toEqual([]);
    const manifest = (await readFile(`${directory}/.manifest`, "utf8")).split("\n");
    expect(manifest[0]).toBe("#mtree");
    expect(manifest).toContain(
      `./dev/console type=char mode=0600 uid=0 gid=5 time=${mtime}.0 device=linux,5,1`,
    );
    expect(manifest).toContain(`./bin/su type=file mode=4755 uid=7 gid=50 time=${mtime}.0 size=10`);
    expect(manifest).toContain(`./etc/link type=link mode=0777 uid=0 gid=0 time=${mtime}.0 link=/etc/passwd`);
    expect(manifest.join("\n")).toContain(
      "./a\\040name\\011with\\040\\043odd\\134\\040\\374letters type=file ",
    );
  });

  it("of some paths brings the directories that they lie in, and nothing else", async () => {
    const directory = await extract(variedTree(), {}, ["root/read-only"]);
    expect((await readdir(directory, { recursive: true })).sort()).toEqual([
      ".manifest",
      "root",
      "root/read-only",
    ]);
  });
});

it.runIf(process.geteuid?.() === 0)("as root sets owners and modes, and has devices made", async () => {
  const made: string[] = [];
  const makeDevice = async (file: string): Promise<void> => {
    made.push(path.basename(file));
    await writeFile(file, "");
  };
  const directory = await extract(variedTree(), { isRoot: true, makeDevice });
  const status = await lstat(`${directory}/bin/su`);
  expect([status.mode & 0o7777, status.uid, status.gid]).toEqual([0o4755, 7, 50]);
  expect((await lstat(`${directory}/root`)).mode & 0o7777).toBe(0o500);
  expect(made.sort()).toEqual(["console", "pipe"]);
  expect((await lstat(`${directory}/dev/console`)).gid).toBe(5);
  expect(await readdir(directory)).not.toContain(".manifest");
});

describe("nothing outside the directory is touched", () => {
  it("by entries below a link, which are refused before anything is written", async () => {
    const canary = await makeCanary(workspace.path("canary"));
    const before = await canary.look();
    const tree = new FileTree()
      .addSymlink("doc", `${canary.directory}/doc`, { mtime })
      .addFile("doc/own", bytesContent("hostile"), { mtime });
    const directory = directoryName();
    await expect(extract(tree, {}, tree.paths(), directory)).rejects.toMatchObject({ code: "unsafe-link" });
    expect(await readdir(directory)).toEqual([]);
    expect(await canary.look()).toEqual(before);
  });

  it("by links that are there already, in the place of a directory or a file", async () => {
    const canary = await makeCanary(workspace.path("canary 2"));
    const before = await canary.look();
    for (const [name, target] of [
      ["doc", "doc"],
      ["secret", "secret"],
    ] as const) {
      const directory = directoryName();
      await mkdir(directory);
      await symlink(path.join(canary.directory, target), path.join(directory, name));
      const tree = new FileTree()
        .addFile("first", bytesContent(""), { mtime })
        .addFile(name === "doc" ? "doc/own" : name, bytesContent("hostile"), { mtime })
        .ensureParents({ mtime });
      await expect(extract(tree, { keep: true }, tree.paths(), directory)).rejects.toMatchObject({
        code: "extract-conflict",
      });
      expect(await readdir(directory)).toEqual([name]);
    }
    expect(await canary.look()).toEqual(before);
  });
});

describe("a directory with other files", () => {
  it("is refused, and with --keep-existing gets what it does not have", async () => {
    const directory = directoryName();
    await mkdir(`${directory}/etc`, { recursive: true });
    await writeFile(`${directory}/etc/own`, "own");
    const tree = new FileTree().addFile("etc/new", bytesContent("new"), { mtime }).ensureParents({ mtime });
    await expect(extract(tree, {}, tree.paths(), directory)).rejects.toMatchObject({
      code: "not-empty",
      hint: "empty it",
    });
    await extract(tree, { keep: true }, tree.paths(), directory);
    expect((await readdir(`${directory}/etc`)).sort()).toEqual(["new", "own"]);
    const again = extract(tree, { keep: true }, tree.paths(), directory);
    await expect(again).rejects.toMatchObject({ code: "extract-conflict" });
    expect(await readFile(`${directory}/etc/own`, "utf8")).toBe("own");
  });

  it("and an image with a .manifest of its own keep theirs", async () => {
    const tree = new FileTree().addFile(".manifest", bytesContent("own"), { mtime });
    await expect(extract(tree)).rejects.toMatchObject({ code: "extract-conflict" });
  });
});
