import { describe, expect, test } from "vitest";
import {
  bytesContent,
  describeProblem,
  FileTree,
  LayerStack,
  type Merged,
  type MergeProblem,
  mergeLayers,
} from "../../src/formats/index.ts";

const mtime = 0;
const file = (path: string, text: string) => new FileTree().addFile(path, bytesContent(text), { mtime });
const link = (path: string, target: string) => new FileTree().addSymlink(path, target, { mtime });
const directory = (path: string, mode = 0o755) => new FileTree().addDirectory(path, { mtime, mode });

function layers(...trees: readonly FileTree[]): Merged {
  return mergeLayers(trees.map((tree) => tree.ensureParents({ mtime })));
}

async function textOf({ tree }: Merged, path: string): Promise<string> {
  return (await tree.read(path)).toString();
}

function hardLinked(text: string, ...paths: readonly string[]): FileTree {
  const tree = new FileTree();
  const owner = { mode: 0o755, uid: 0, gid: 0, mtime };
  for (const path of paths) {
    tree.set(path, { type: "file", content: bytesContent(text), linkGroup: "g", ...owner });
  }
  return tree;
}

describe("a later layer", () => {
  test("replaces files and links, and adds to directories, without a problem", async () => {
    const lower = file("etc/a", "old").addTree(link("etc/b", "x"));
    const merged = layers(
      lower,
      file("etc/a", "new").addTree(link("etc/b", "y")).addTree(file("etc/c", "c")),
    );
    expect(merged.problems).toEqual([]);
    expect(await textOf(merged, "etc/a")).toBe("new");
    expect(merged.tree.get("etc/b")).toMatchObject({ target: "y" });
    expect(merged.tree.paths()).toEqual(["etc", "etc/a", "etc/b", "etc/c"]);
  });

  test("is named as the origin of what it wrote, after the layers whose entry it replaced", () => {
    const { origins } = layers(
      file("etc/a", "old").addTree(file("etc/b", "b")),
      file("etc/a", "new"),
      link("etc/a", "b").addTree(file("etc/c", "c")),
    );
    expect(origins.get("etc/a")).toEqual([0, 1, 2]);
    expect(origins.get("etc/b")).toEqual([0]);
    expect(origins.get("etc/c")).toEqual([2]);
    const linked = layers(hardLinked("x", "bin/one", "bin/two"), file("bin/one", "y"));
    expect([linked.origins.get("bin/one"), linked.origins.get("bin/two")]).toEqual([
      [0, 1],
      [0, 1],
    ]);
  });

  test("replaces a link by a file and a file by a link, and removes an empty directory for a file", async () => {
    const lower = link("a", "x").addTree(file("b", "")).addTree(directory("c"));
    const merged = layers(lower, file("a", "1").addTree(link("b", "y")).addTree(file("c", "2")));
    expect(merged.problems).toEqual([]);
    expect([...merged.tree].map(([path, { type }]) => `${path} ${type}`)).toEqual([
      "a file",
      "b symlink",
      "c file",
    ]);
  });

  test("that writes one name of a hard-linked file changes all its names", async () => {
    const merged = layers(
      hardLinked("busybox", "bin/busybox", "bin/sh", "sbin/init"),
      file("bin/sh", "bash"),
    );
    expect(merged.problems).toEqual([
      { kind: "hard-link-truncated", path: "bin/sh", layer: 1, otherNames: ["bin/busybox", "sbin/init"] },
    ]);
    for (const path of ["bin/busybox", "bin/sh", "sbin/init"])
      expect(await textOf(merged, path)).toBe("bash");
  });

  test("with its own hard links keeps them apart from the lower layer's of the same name", async () => {
    const merged = layers(hardLinked("one", "a", "b"), hardLinked("two", "c", "d"), file("c", "three"));
    expect(await textOf(merged, "a")).toBe("one");
    expect(await textOf(merged, "d")).toBe("three");
    const [a, c] = [merged.tree.file("a"), merged.tree.file("c")];
    expect(a.linkGroup).not.toBe(c.linkGroup);
  });

  test("that gives a hard link a name which is taken is a problem for old kernels", () => {
    const merged = layers(file("b", "old"), hardLinked("new", "a", "b"));
    expect(merged.problems).toEqual([{ kind: "hard-link-over-file", path: "b", layer: 1 }]);
  });

  test("that makes a directory of a link removes the link, and says where it led", () => {
    const merged = layers(directory("lib").addTree(link("lib64", "lib")), file("lib64/new.so", ""));
    expect(merged.problems).toEqual([
      { kind: "symlink-replaced-by-directory", path: "lib64", layer: 1, target: "lib" },
    ]);
    expect(merged.tree.paths()).toEqual(["lib", "lib64", "lib64/new.so"]);
  });

  test("that makes a link of an empty directory removes the directory", () => {
    const merged = layers(directory("usr/sbin"), link("usr/sbin", "bin"));
    expect(merged.problems).toEqual([
      { kind: "directory-replaced-by-symlink", path: "usr/sbin", layer: 1, target: "bin" },
    ]);
  });

  test("loses a file or link that stands where a directory with content is", () => {
    const merged = layers(
      file("opt/a/b", "").addTree(file("opt/c/d", "")),
      file("opt/a", "").addTree(link("opt/c", "x")),
    );
    expect(merged.problems).toEqual([
      { kind: "lost-under-directory", path: "opt/a", layer: 1, type: "file" },
      { kind: "lost-under-directory", path: "opt/c", layer: 1, type: "symlink" },
    ]);
    expect(merged.tree.get("opt/a")?.type).toBe("directory");
  });

  test("that cannot make the first name of a hard-linked file loses the others, and what was in their places", () => {
    const merged = layers(file("a/x", "x").addTree(file("b", "old")), hardLinked("new", "a", "b"));
    expect(merged.problems.map(({ kind, path }) => [kind, path])).toEqual([
      ["lost-under-directory", "a"],
      ["hard-link-over-file", "b"],
      ["hard-link-lost", "b"],
    ]);
    expect(merged.tree.paths()).toEqual(["a", "a/x"]);
  });

  test("that cannot make the last name of a hard-linked file leaves the others empty: its bytes were there", async () => {
    const merged = layers(file("c/x", "x"), hardLinked("new", "a", "b", "c"));
    expect(merged.problems.map(({ kind }) => kind)).toEqual(["lost-under-directory"]);
    expect([await textOf(merged, "a"), await textOf(merged, "b")]).toEqual(["", ""]);
  });

  test("that loses a link or a device under a directory gives the directory its owner, and of a device the mode", () => {
    const owner = { uid: 7, gid: 8, mode: 0o600, mtime };
    const upper = new FileTree()
      .set("a", { type: "symlink", target: "x", ...owner })
      .set("b", { type: "fifo", ...owner })
      .addFile("c", bytesContent(""), owner);
    const { tree } = layers(file("a/x", "").addTree(file("b/x", "")).addTree(file("c/x", "")), upper);
    expect(tree.get("a")).toMatchObject({ type: "directory", mode: 0o755, uid: 7, gid: 8 });
    expect(tree.get("b")).toMatchObject({ type: "directory", mode: 0o600, uid: 7, gid: 8 });
    expect(tree.get("c")).toMatchObject({ type: "directory", mode: 0o755, uid: 0, gid: 0 });
  });

  test("re-applies a directory's mode and owner, so 0755 takes the sticky bit from tmp", () => {
    const merged = layers(directory("tmp", 0o1777), file("tmp/x", ""));
    expect(merged.problems).toEqual([
      {
        kind: "directory-changed",
        path: "tmp",
        layer: 1,
        from: { mode: 0o1777, uid: 0, gid: 0 },
        to: { mode: 0o755, uid: 0, gid: 0 },
      },
    ]);
    expect(merged.tree.get("tmp")?.mode).toBe(0o755);
  });

  test("does the same to the root directory itself", () => {
    const merged = layers(directory("."), directory(".", 0o700));
    expect(merged.problems).toMatchObject([{ kind: "directory-changed", path: "." }]);
  });

  test("does not change the number of a device", () => {
    const device = { type: "char", major: 5, mode: 0o600, uid: 0, gid: 0, mtime } as const;
    const merged = mergeLayers([
      new FileTree().set("tty", { ...device, minor: 0 }),
      new FileTree().set("tty", { ...device, minor: 1, mode: 0o666 }),
    ]);
    expect(merged.problems).toEqual([{ kind: "device-kept", path: "tty", layer: 1 }]);
    expect(merged.tree.get("tty")).toMatchObject({ minor: 0, mode: 0o666 });
  });

  test("without its own parents is unpacked through the links below, or lost where there are none", () => {
    const merged = mergeLayers([
      directory("usr/lib").ensureParents({ mtime }).addTree(link("lib", "/usr/lib")),
      file("lib/a.so", "").addTree(file("none/b", "")),
    ]);
    expect(merged.problems).toEqual([{ kind: "parent-missing", path: "none/b", layer: 1, parent: "none" }]);
    expect(merged.tree.paths()).toEqual(["lib", "usr", "usr/lib", "usr/lib/a.so"]);
  });
});

test("every problem is told as one sentence that names the path and the layer", () => {
  const place = { path: "a/b", layer: 1 };
  const owner = { mode: 0o1777, uid: 0, gid: 50 };
  const problems: readonly MergeProblem[] = [
    { ...place, kind: "hard-link-truncated", otherNames: ["c"] },
    { ...place, kind: "symlink-replaced-by-directory", target: "c" },
    { ...place, kind: "directory-replaced-by-symlink", target: "c" },
    { ...place, kind: "lost-under-directory", type: "file" },
    { ...place, kind: "directory-changed", from: owner, to: { ...owner, mode: 0o755 } },
    { ...place, kind: "hard-link-over-file" },
    { ...place, kind: "device-kept" },
    { ...place, kind: "hard-link-lost", first: "c" },
    { ...place, kind: "parent-missing", parent: "a" },
  ];
  for (const problem of problems) {
    expect(describeProblem(problem, () => "the overlay")).toMatch(/^a\/b of the overlay .+[^.]$/);
  }
  expect(problems.map((problem) => describeProblem(problem))[4]).toBe(
    "a/b of layer 1 changes the directory from 1777 0:50 to 0755 0:50",
  );
});

describe("a stack", () => {
  const lower = [
    hardLinked("x", "bin/one", "bin/two").addTree(directory("etc")).addTree(file("etc/a", "old")),
    file("bin/one", "y").addTree(link("etc/b", "a")),
  ].map((tree) => tree.ensureParents({ mtime }));
  const upper = [directory("etc/b"), hardLinked("z", "etc/a", "etc/c")].map((tree) =>
    tree.ensureParents({ mtime }),
  );
  const shown = ({ tree, problems, origins }: Merged) => ({
    nodes: [...tree],
    problems,
    origins: [...origins],
  });

  test("to which layers are added is what all of them make together", () => {
    const stack = new LayerStack(lower).with(...upper);
    expect(stack.size).toBe(4);
    const merged = shown(stack.merged());
    expect(merged).toEqual(shown(mergeLayers([...lower, ...upper])));
    expect(merged.problems.length).toBeGreaterThan(1);
  });

  test("stays as it is when layers are put on it, and when its tree is changed", () => {
    const stack = new LayerStack(lower);
    const before = shown(stack.merged());
    stack.with(...upper).merged();
    stack.merged().tree.delete("etc/a");
    stack.merged().tree.addFile("new", bytesContent(""), { mtime });
    expect(stack.size).toBe(2);
    expect(shown(stack.merged())).toEqual(before);
  });
});
