/** Layers that would fall into one of the kernel's traps, and do what they seem to once fixed up. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  bytesContent,
  FileTree,
  fixUpLayer,
  LayerStack,
  mergeLayers,
  readInitrd,
  writeLayers,
} from "../../src/formats/index.ts";
import { cases } from "../support/cases.ts";

const mtime = 0;
const file = (name: string, text: string): FileTree =>
  new FileTree().addFile(name, bytesContent(text), { mtime }).ensureParents({ mtime });

function hardLinked(text: string, ...names: readonly string[]): FileTree {
  const tree = new FileTree();
  for (const name of names) {
    tree.set(name, {
      type: "file",
      content: bytesContent(text),
      linkGroup: "g",
      mode: 0o755,
      uid: 0,
      gid: 0,
      mtime,
    });
  }
  return tree.ensureParents({ mtime });
}

/** What the kernel makes of the layers, after the last one went through a file as the image does. */
async function unpacked(lower: readonly FileTree[], layer: FileTree) {
  const directory = await mkdtemp(path.join(tmpdir(), "razor mk fix-up "));
  try {
    const fixed = fixUpLayer(new LayerStack(lower), layer);
    const name = path.join(directory, "layer");
    await writeLayers([fixed.before, fixed.layer], name);
    const members = await readInitrd(name, { spoolDir: path.join(directory, "spool") });
    const merged = mergeLayers([...lower, ...members.map((member) => member.tree)]);
    const texts = new Map<string, string>();
    for (const [entry, node] of merged.tree) {
      if (node.type === "file") texts.set(entry, (await merged.tree.read(entry)).toString());
    }
    return { ...merged, texts, before: fixed.before };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** Whether a link of the lower layers leads two entries of the layer to one place. */
function meets(lower: readonly FileTree[], layer: FileTree): boolean {
  try {
    fixUpLayer(new LayerStack(lower), layer);
    return false;
  } catch (error) {
    if ((error as { code?: string }).code === "layer-entries-meet") return true;
    throw error;
  }
}

describe("a fixed-up layer", () => {
  test("replaces one name of a hard-linked file and leaves the others", async () => {
    const lower = hardLinked("busybox", "bin/busybox", "bin/ls", "bin/sh");
    const { texts, problems, tree } = await unpacked([lower], file("bin/ls", "mine"));
    expect(problems).toEqual([]);
    expect(Object.fromEntries(texts)).toEqual({
      "bin/busybox": "busybox",
      "bin/ls": "mine",
      "bin/sh": "busybox",
    });
    expect(tree.get("bin/ls")).toMatchObject({ mode: 0o644 });
  });

  test("puts a device of another number in a device's place", async () => {
    const device = (minor: number) =>
      new FileTree()
        .set("dev/x", { type: "char", major: 1, minor, mode: 0o600, uid: 0, gid: 0, mtime })
        .ensureParents({ mtime });
    const { problems, tree } = await unpacked([device(3)], device(5));
    expect(problems).toEqual([]);
    expect(tree.get("dev/x")).toMatchObject({ minor: 5 });
  });

  test("goes through a link to a directory, which stays", async () => {
    const lower = file("lib/libc.so", "c").addSymlink("lib64", "lib", { mtime });
    const { problems, texts, tree } = await unpacked([lower], file("lib64/mine/own.so", "own"));
    expect(problems).toEqual([]);
    expect(tree.get("lib64")).toMatchObject({ type: "symlink", target: "lib" });
    expect(Object.fromEntries(texts)).toEqual({ "lib/libc.so": "c", "lib/mine/own.so": "own" });
  });

  test("still tells of a file over a directory that is not empty", async () => {
    const { problems } = await unpacked([file("etc/rc.d/a", "a")], file("etc/rc.d", "x"));
    expect(problems.map((problem) => problem.kind)).toEqual(["lost-under-directory"]);
  });

  test("tells of two entries that a link leads to one place", () => {
    const lower = new FileTree().addSymlink("l", "a", { mtime }).addDirectory("a", { mtime });
    const both = (one: string, other: string) => file(one, "one").addTree(file(other, "other"));
    for (const [one, other] of [
      ["a/c", "l/c"],
      ["a/c/e", "l/c"],
      ["a/c", "l/c/e"],
    ] as const) {
      expect(() => fixUpLayer(new LayerStack([lower]), both(one, other))).toThrow(
        expect.objectContaining({
          code: "layer-entries-meet",
          message: expect.stringMatching(/l\/c.* and .*a\/c/),
        }),
      );
    }
    // Directories meet without harm.
    const { layer } = fixUpLayer(new LayerStack([lower]), both("a/c/1", "l/c/2"));
    expect([...layer.paths()]).toEqual(["a", "a/c", "a/c/1", "a/c/2"]);
  });

  test("holds what it held, whatever lies below, unless a problem is told", async () => {
    const name = fc.constantFrom("a", "b", "a/c", "a/d", "b/c", "l/c", "l", "a/c/e");
    const entry = fc.record({
      name,
      kind: fc.constantFrom("file", "linked", "directory", "link", "device"),
      n: fc.nat(3),
    });
    const grow = (entries: readonly { name: string; kind: string; n: number }[], tag: string): FileTree => {
      const tree = new FileTree();
      const owner = { mode: 0o755, uid: 0, gid: 0, mtime };
      for (const { name: at, kind, n } of entries) {
        const parents = at.split("/").slice(0, -1);
        const blocked = parents.some((_, depth) => {
          const there = tree.get(parents.slice(0, depth + 1).join("/"));
          return there !== undefined && there.type !== "directory";
        });
        const holds = [...tree.paths()].some((other) => other.startsWith(`${at}/`));
        if (blocked || holds || tree.has(at)) continue;
        if (kind === "file") tree.addFile(at, bytesContent(`${tag}${n}${at}`), { mtime });
        else if (kind === "linked")
          tree.set(at, { type: "file", content: bytesContent(tag), linkGroup: "g", ...owner });
        else if (kind === "directory") tree.addDirectory(at, { mtime });
        else if (kind === "link") tree.addSymlink(at, n % 2 === 0 ? "a" : "nowhere", { mtime });
        else tree.set(at, { type: "char", major: 1, minor: n, ...owner });
        tree.ensureParents({ mtime });
      }
      return tree;
    };
    const entries = fc.array(entry, { maxLength: 6 });
    let fixed = 0;
    await fc.assert(
      fc.asyncProperty(entries, entries, entries, async (one, two, three) => {
        const lower = [grow(one, "one "), grow(two, "two ")];
        const layer = grow(
          three.filter(({ kind }) => kind !== "linked"),
          "three ",
        );
        const before = mergeLayers(lower);
        if (meets(lower, layer)) return;
        const { problems, tree, texts, before: removed } = await unpacked(lower, layer);
        if (problems.some((problem) => problem.layer >= lower.length && problem.kind !== "directory-changed"))
          return;
        if (removed.size > 0) fixed += 1;
        const { layer: wanted } = fixUpLayer(new LayerStack(lower), layer);
        for (const [at, node] of wanted) {
          expect(tree.get(at)?.type).toBe(node.type);
          if (node.type === "file") expect(texts.get(at)).toBe((await wanted.read(at)).toString());
        }
        // Whatever the layer does not name is as it was.
        for (const [at, node] of before.tree) {
          if (wanted.has(at)) continue;
          expect(tree.get(at)?.type, at).toBe(node.type);
          if (node.type === "file") expect(texts.get(at), at).toBe((await before.tree.read(at)).toString());
        }
      }),
      cases(150),
    );
    expect(fixed).toBeGreaterThan(0);
  });
});
