/** Layers made one tree: their intended tree, and the kernel's own result wherever that is the same. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { UserError } from "../../src/errors/index.ts";
import { bytesContent, FileTree, flattenLayers, mergeLayers, writeCpio } from "../../src/formats/index.ts";
import { cases } from "../support/cases.ts";
import { arbitraryTree } from "./arbitrary-tree.ts";

const mtime = 0;
const file = (name: string, text: string): FileTree =>
  new FileTree().addFile(name, bytesContent(text), { mtime }).ensureParents({ mtime });

/** Undefined where a link leads two entries of a layer to one place: their author must decide. */
function flattened(layers: readonly FileTree[]): FileTree | undefined {
  try {
    return flattenLayers(layers);
  } catch (error) {
    if (error instanceof UserError && error.code === "layer-entries-meet") return undefined;
    throw error;
  }
}

describe("layers made one tree", () => {
  test("hold a file in place of a directory, and nothing of what was in it", () => {
    const lower = file("etc/rc.d/deep/a", "a").addTree(file("etc/rc.dx", "x"));
    const flat = flattenLayers([lower, file("etc/rc.d", "mine")]);
    expect(flat.paths()).toEqual(["etc", "etc/rc.d", "etc/rc.dx"]);
    expect(flat.get("etc/rc.d")?.type).toBe("file");
  });

  test("hold a directory in place of a file, and in place of a link to nowhere", () => {
    const lower = file("a", "a").addSymlink("b", "nowhere", { mtime });
    const flat = flattenLayers([lower, file("a/c", "c").addTree(file("b/d", "d"))]);
    expect([...flat].map(([name, { type }]) => [name, type])).toEqual([
      ["a", "directory"],
      ["a/c", "file"],
      ["b", "directory"],
      ["b/d", "file"],
    ]);
  });

  test("lead through a link to a directory, which stays", () => {
    const lower = file("lib/libc.so", "c").addSymlink("lib64", "lib", { mtime });
    const flat = flattenLayers([lower, file("lib64/own.so", "own")]);
    expect(flat.paths()).toEqual(["lib", "lib/libc.so", "lib/own.so", "lib64"]);
    expect(flat.get("lib64")?.type).toBe("symlink");
  });

  test("replace one name of a hard-linked file, and leave the others joined", async () => {
    const lower = new FileTree();
    for (const name of ["a", "b", "c"]) {
      lower.set(name, {
        type: "file",
        content: bytesContent("old"),
        linkGroup: "g",
        mode: 0o644,
        uid: 0,
        gid: 0,
        mtime,
      });
    }
    const flat = flattenLayers([lower, file("b", "new")]);
    expect((await flat.read("b")).toString()).toBe("new");
    expect((await flat.read("c")).toString()).toBe("old");
    expect([flat.file("a"), flat.file("b"), flat.file("c")].map(({ linkGroup }) => linkGroup)).toEqual([
      flat.file("c").linkGroup,
      undefined,
      flat.file("a").linkGroup,
    ]);
  });

  test("are what the kernel makes of them wherever it finds nothing wrong, and always an archive", async () => {
    const shape = { anyBytes: true };
    let plain = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(arbitraryTree(shape), { minLength: 1, maxLength: 4 }), async (layers) => {
        const { tree, problems } = mergeLayers(layers);
        const flat = flattened(layers);
        if (flat === undefined) {
          expect(problems.map(({ kind }) => kind)).toContain("symlink-replaced-by-directory");
          return;
        }
        if (problems.every(({ kind }) => kind === "directory-changed")) {
          plain += 1;
          expect(await flat.digest()).toBe(await tree.digest());
        }
        const children = new Set(flat.paths());
        for (const name of children) {
          const parent = name.split("/").slice(0, -1).join("/");
          if (parent !== "") expect(flat.get(parent)?.type, name).toBe("directory");
        }
        for await (const chunk of writeCpio(flat)) expect(chunk.length).toBeGreaterThan(0);
      }),
      cases(200),
    );
    expect(plain).toBeGreaterThan(0);
  });
});
