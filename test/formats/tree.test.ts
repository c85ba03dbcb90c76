import { chmod, mkdir, symlink, writeFile } from "node:fs/promises";
import { createServer, type Socket } from "node:net";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  bytesContent,
  compareNames,
  decodeName,
  encodeName,
  FileTree,
  isUtf8Name,
  normaliseName,
  printName,
  readContent,
  rootOwned,
  treeFromDirectory,
} from "../../src/formats/index.ts";
import { cases } from "../support/cases.ts";
import { useWorkspace } from "./workspace.ts";

const workspace = useWorkspace();
const mtime = 0;

describe("names", () => {
  test("of any bytes come back as those bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        expect(Buffer.compare(encodeName(decodeName(bytes)), bytes)).toBe(0);
      }),
      cases(),
    );
    const overlong = Buffer.from("c0afeda080f4908080ff41efbbbf42", "hex");
    expect(encodeName(decodeName(overlong)).equals(overlong)).toBe(true);
    expect(decodeName(Buffer.from("ünïcode"))).toBe("ünïcode");
  });

  test("are ordered as their bytes are", () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.uint8Array(), (a, b) => {
        const [one, two] = [decodeName(a), decodeName(b)];
        if (one === "." || two === ".") return;
        expect(Math.sign(compareNames(one, two))).toBe(Buffer.compare(a, b));
      }),
      cases(),
    );
    expect(["a-b", "a/b", "a", "ﬀ", "😀", "."].sort(compareNames)).toEqual([
      ".",
      "a",
      "a-b",
      "a/b",
      "ﬀ",
      "😀",
    ]);
  });

  test("of archives lose their dots and slashes, and never climb", () => {
    expect(normaliseName("./a//b/", "x")).toBe("a/b");
    expect(normaliseName("./", "x")).toBe(".");
    expect(normaliseName("/init", "x", { absolute: true })).toBe("init");
    for (const name of ["", "/a", "..", "a/../b", "a\0b"]) {
      expect(() => normaliseName(name, "x")).toThrow(expect.objectContaining({ code: "unsafe-name" }));
    }
    expect(printName("a\n\udce9\u{1f480}")).toBe("a\\x0a\\xe9\u{1f480}");
    expect([isUtf8Name("\u{1f480}"), isUtf8Name("\udce9")]).toEqual([true, false]);
  });
});

describe("a tree", () => {
  test("is gone through in byte order, parents first, whatever the order of adding", () => {
    const tree = new FileTree();
    for (const path of ["b/c/d", "b-x", "a", "b"]) tree.addFile(path, bytesContent(""), { mtime });
    tree.addDirectory("b", { mtime }).ensureParents({ mtime });
    expect(tree.paths()).toEqual(["a", "b", "b-x", "b/c", "b/c/d"]);
    tree.delete("a");
    expect(tree.paths()[0]).toBe("b");
  });

  test("refuses a path that is not in normal form", () => {
    for (const path of ["", "/a", "a/", "./a", "a//b", "a/../b"]) {
      expect(() => new FileTree().addDirectory(path, { mtime })).toThrow(RangeError);
    }
  });

  test("says what is there when a file is asked for", async () => {
    const tree = new FileTree().addDirectory("etc", { mtime });
    await expect(tree.read("etc")).rejects.toMatchObject({ code: "not-a-file" });
    await expect(tree.contentDigest("none")).rejects.toThrow("none is missing");
  });

  test("has another digest for every difference that matters, times only on request", async () => {
    const base = () => new FileTree().addFile("a", bytesContent("1"), { mtime: 1 });
    const digest = await base().digest();
    const others = [
      base().addFile("a", bytesContent("2"), { mtime: 1 }),
      base().addFile("a", bytesContent("1"), { mtime: 1, mode: 0o600 }),
      base().addFile("a", bytesContent("1"), { mtime: 1, gid: 1 }),
      base().addFile("b", bytesContent("1"), { mtime: 1 }),
      new FileTree().addSymlink("a", "1", { mtime: 1 }),
    ];
    for (const other of others) expect(await other.digest({ times: false })).not.toBe(digest);
    const later = new FileTree().addFile("a", bytesContent("1"), { mtime: 2 });
    expect(await later.digest()).not.toBe(digest);
    expect(await later.digest({ times: false })).toBe(await base().digest({ times: false }));
  });
});

describe("a tree from a directory", () => {
  async function makeDirectory(name: string, mode: number): Promise<string> {
    const directory = workspace.path(name);
    await mkdir(`${directory}/bin`, { recursive: true });
    await writeFile(`${directory}/bin/tool`, "#!/bin/sh\n");
    await writeFile(`${directory}/.profile`, "x");
    await writeFile(Buffer.concat([Buffer.from(`${directory}/caf`), Buffer.of(0xe9)]), "latin-1");
    await symlink("../nowhere", `${directory}/bin/link`);
    await chmod(`${directory}/bin/tool`, mode | 0o100);
    await chmod(`${directory}/.profile`, mode);
    await chmod(`${directory}/bin`, 0o700);
    return directory;
  }

  test("does not depend on the modes a checkout gave", async () => {
    const one = await treeFromDirectory(await makeDirectory("one", 0o600), { mtime: 5 });
    const two = await treeFromDirectory(await makeDirectory("two", 0o664), { mtime: 5 });
    expect(await one.digest()).toBe(await two.digest());
    expect(one.paths()).toEqual([".profile", "bin", "bin/link", "bin/tool", "caf\udce9"]);
    expect(one.get("bin/tool")).toMatchObject({ mode: 0o755, uid: 0, gid: 0, mtime: 5 });
    expect(one.get(".profile")).toMatchObject({ mode: 0o644 });
    expect((await one.read("caf\udce9")).toString()).toBe("latin-1");
  });

  test("takes modes and owners from the policy, and leaves out what the filter says, with all below", async () => {
    const tree = await treeFromDirectory(await makeDirectory("policy", 0o644), {
      mtime: 5,
      policy: (path, entry) =>
        path === ".profile" ? { mode: 0o600, uid: 1, gid: 2 } : rootOwned(path, entry),
      filter: (path) => path !== "bin",
    });
    expect(tree.paths()).toEqual([".profile", "caf\udce9"]);
    expect(tree.get(".profile")).toMatchObject({ mode: 0o600, uid: 1, gid: 2 });
  });

  test("names what it cannot take, and a directory that is missing", async () => {
    const directory = await makeDirectory("socket", 0o644);
    const server = createServer((socket: Socket) => socket.destroy());
    await new Promise<void>((resolve) => server.listen(`${directory}/s`, resolve));
    try {
      await expect(treeFromDirectory(directory, { mtime })).rejects.toMatchObject({
        code: "unsupported-file-type",
        where: `${directory}/s`,
      });
    } finally {
      server.close();
    }
    await expect(treeFromDirectory(workspace.path("none"), { mtime })).rejects.toMatchObject({
      code: "unreadable-directory",
    });
  });

  test("notices a file that became shorter", async () => {
    const path = workspace.path("shrunk");
    await writeFile(path, "12345");
    await expect(readContent({ kind: "file", path, offset: 2, size: 10 })).rejects.toMatchObject({
      code: "content-changed",
      where: path,
    });
  });
});
