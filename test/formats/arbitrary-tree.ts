/** Arbitrary file trees for property tests: odd names, empty files, links, hard links, devices. */
import fc from "fast-check";
import { decodeName, FileTree, type TreeNode } from "../../src/formats/index.ts";

export interface TreeShape {
  /** Names may hold bytes that are not UTF-8. */
  readonly anyBytes: boolean;
  /** Few names, so that trees laid on one another meet, and links that lead to where others are. */
  readonly crowded?: boolean;
}

function nameOf({ anyBytes, crowded = false }: TreeShape): fc.Arbitrary<string> {
  const plain = fc.constantFrom(
    "a",
    "b",
    "etc",
    "name with space",
    "-dash",
    "a'\"b",
    "ü",
    "日本",
    "x".repeat(90),
  );
  const text = fc.string({ minLength: 1, maxLength: 12, unit: "grapheme" });
  const bytes = fc.uint8Array({ minLength: 1, maxLength: 6 }).map((value) => decodeName(value));
  const few = { arbitrary: fc.constantFrom("a", "b", "c"), weight: 20 };
  return fc
    .oneof(...(crowded ? [few] : []), plain, text, ...(anyBytes ? [bytes] : []))
    .filter((name) => !/[/\0]/.test(name) && name !== "." && name !== ".." && !name.includes("\ufffd"));
}

/** What a link leads to; in a crowded tree up to two directories up, or from the root. */
function targetOf(shape: TreeShape): fc.Arbitrary<string> {
  const name = nameOf(shape);
  if (shape.crowded !== true) return name;
  const path = fc.tuple(name, name).map((names) => names.join("/"));
  return fc.oneof(
    { arbitrary: name, weight: 4 },
    path,
    name.map((one) => `/${one}`),
    name.map((one) => `../${one}`),
    name.map((one) => `.././${one}/`),
    fc.constantFrom(".", "..", "/"),
  );
}

const metadata = fc.record({
  mode: fc.integer({ min: 0, max: 0o7777 }),
  uid: fc.integer({ min: 0, max: 70_000 }),
  gid: fc.integer({ min: 0, max: 70_000 }),
  mtime: fc.integer({ min: 0, max: 2 ** 31 }),
});

function nodeOf(shape: TreeShape): fc.Arbitrary<TreeNode> {
  const bytes = fc.uint8Array({ maxLength: 1500 }).map((value) => Buffer.from(value));
  const number = fc.integer({ min: 0, max: 255 });
  const kinds = fc.oneof(
    bytes.map((value) => ({ type: "file", content: { kind: "bytes", bytes: value } }) as const),
    fc.constant({ type: "directory" } as const),
    targetOf(shape).map((target) => ({ type: "symlink", target }) as const),
    fc.record({ type: fc.constantFrom("char" as const, "block" as const), major: number, minor: number }),
    fc.constant({ type: "fifo" } as const),
  );
  return fc.tuple(kinds, metadata).map(([kind, data]): TreeNode => ({ ...kind, ...data }));
}

/** Trees with every parent present; some files have a second and third name. */
export function arbitraryTree(shape: TreeShape): fc.Arbitrary<FileTree> {
  const name = nameOf(shape);
  const entry = fc.record({
    parent: fc.nat(),
    name,
    node: nodeOf(shape),
    otherNames: fc.array(name, { maxLength: 2 }),
  });
  return fc.array(entry, { maxLength: 14 }).map((entries) => {
    const tree = new FileTree();
    const directories = [""];
    for (const [index, { parent, name, node, otherNames }] of entries.entries()) {
      const prefix = directories[parent % directories.length] ?? "";
      const names = [name, ...(node.type === "file" ? otherNames : [])]
        .map((last) => `${prefix}${last}`)
        .filter((path, at, all) => !tree.has(path) && all.indexOf(path) === at);
      const linked = node.type === "file" && names.length > 1 ? { ...node, linkGroup: `${index}` } : node;
      for (const path of names) tree.set(path, linked);
      if (node.type === "directory" && names[0] !== undefined) directories.push(`${names[0]}/`);
    }
    return tree;
  });
}
