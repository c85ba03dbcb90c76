/** A tree laid out for host tools: read back with the tools of the host. */
import { lstat, mkdtemp, readFile, readlink, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bytesContent, decodeName, encodeName, FileTree, stageTree } from "../../src/formats/index.ts";

const mtime = 0;
const odd = decodeName(Buffer.from("lib/caf\xe9", "latin1"));

describe("a staged tree", () => {
  let directory = "";

  beforeAll(async () => {
    directory = path.join(await realpath(await mkdtemp(path.join(tmpdir(), "razor mk staging "))), "image");
    const tree = new FileTree()
      .addFile("usr/lib/libx.so.1", bytesContent("x"), { mtime })
      .addFile(odd, bytesContent("odd"), { mtime })
      .addSymlink("lib64", "/usr/lib", { mtime })
      .addSymlink("usr/lib/up", "../../../../../usr", { mtime })
      .addSymlink("root", "/", { mtime })
      .addSymlink("gone", "/etc/passwd", { mtime })
      .addSymlink("one", "two", { mtime })
      .addSymlink("two", "one", { mtime })
      .set("dev/null", { type: "char", major: 1, minor: 3, mode: 0o666, uid: 0, gid: 0, mtime })
      .ensureParents({ mtime });
    await stageTree(tree, directory);
  });

  afterAll(() => rm(path.dirname(directory), { recursive: true, force: true }));

  it("has its files, whatever bytes their names have", async () => {
    expect(await readFile(path.join(directory, "usr/lib/libx.so.1"), "utf8")).toBe("x");
    expect(await readFile(encodeName(`${directory}/${odd}`), "utf8")).toBe("odd");
  });

  it("has links that lead where they would in the image, and never out of the directory", async () => {
    expect(await readFile(path.join(directory, "lib64/libx.so.1"), "utf8")).toBe("x");
    expect(await readlink(path.join(directory, "lib64"))).toBe("usr/lib");
    expect(await realpath(path.join(directory, "usr/lib/up"))).toBe(path.join(directory, "usr"));
    expect(await realpath(path.join(directory, "root"))).toBe(directory);
  });

  it.each(["gone", "one", "two", "dev/null"])(
    "leaves out %s, which leads nowhere or is a device",
    async (name) => {
      await expect(lstat(path.join(directory, name))).rejects.toMatchObject({ code: "ENOENT" });
    },
  );
});
