/** What a real kernel makes of random layers, as they are, fixed up, and made one archive; beside what we say it makes. */
import { createHash } from "node:crypto";
import { mkdir, open, writeFile } from "node:fs/promises";
import path from "node:path";
import { isDeepStrictEqual } from "node:util";
import { gunzipSync } from "node:zlib";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { UserError } from "../../src/errors/index.ts";
import {
  bytesContent,
  FileTree,
  FileWindow,
  fixUpLayer,
  flattenLayers,
  joinLayers,
  LayerStack,
  mergeLayers,
  readCpio,
  readInitrd,
  type TreeNode,
  writeLayer,
} from "../../src/formats/index.ts";
import { arbitraryTree } from "../formats/arbitrary-tree.ts";
import { cases } from "../support/cases.ts";
import { bootQemu } from "../support/qemu.ts";
import { describeNode } from "./image.ts";
import { makeDirectory, openWorkspace, removeDirectory } from "./workspace.ts";

/** An emulated machine on a busy host may take minutes. */
const patience = 400_000;
const mtime = 0;

/** Everything is below here, so that no link leads a layer into another case. */
const prefixOf = (kind: string, index: number): string => `t/${kind}${index}/in`;

const init = `#!/bin/busybox sh
b=/bin/busybox
$b find t -print0 | $b cpio -0 -o -H newc 2>/dev/null | $b gzip -1 >/out
echo
echo out-begins
$b base64 /out
echo out-sha256 $($b sha256sum </out)
$b poweroff -f
`;

/** A case's layers, lowest first, as paths and nodes relative to wherever the case is put. */
type Layers = readonly FileTree[];

/** One way to unpack a case: the archives to be unpacked, and the tree that we say they make. */
interface Attempt {
  readonly prefix: string;
  readonly members: Layers;
  readonly expected: FileTree;
  /** Whether nothing of the layers is lost or spoilt, as far as we see. */
  readonly sound: boolean;
}

/** The layers below a directory of their own; absolute links lead into it. */
function place(layers: Layers, prefix: string): Layers {
  return layers.map((layer) => {
    const tree = new FileTree().addDirectory(prefix, { mtime });
    for (const [name, node] of layer) tree.set(`${prefix}/${name}`, moved(node, `/${prefix}`));
    return tree.ensureParents({ mtime });
  });
}

function moved(node: TreeNode, root: string): TreeNode {
  return node.type === "symlink" && node.target.startsWith("/")
    ? { ...node, target: root + node.target }
    : node;
}

function attempt(prefix: string, members: Layers): Attempt {
  const { tree, problems } = mergeLayers(members);
  return {
    prefix,
    members,
    expected: tree,
    sound: problems.every(({ kind }) => kind === "directory-changed"),
  };
}

/** The layers as they are; with the last one fixed up; as one archive. The last two where they can be had. */
function attempts(layers: Layers, index: number): readonly Attempt[] {
  const raw = attempt(prefixOf("raw", index), place(layers, prefixOf("raw", index)));
  const found: Attempt[] = [raw];
  try {
    const prefix = prefixOf("fixedUp", index);
    const placed = place(layers, prefix);
    const lower = placed.slice(0, -1);
    const { before, layer } = fixUpLayer(new LayerStack(lower), placed.at(-1) ?? new FileTree());
    found.push(
      attempt(
        prefix,
        [...lower, before, layer].filter((tree) => tree.size > 0),
      ),
    );
    const flat = prefixOf("flat", index);
    found.push(attempt(flat, [flattenLayers(place(layers, flat))]));
  } catch (error) {
    if (!(error instanceof UserError) || error.code !== "layer-entries-meet") throw error;
  }
  return found;
}

/** The entries of each case's directory, so that none is looked for among all. */
function splitByPrefix(tree: FileTree): ReadonlyMap<string, FileTree> {
  const trees = new Map<string, FileTree>();
  for (const [name, node] of tree) {
    const prefix = name.split("/").slice(0, 3).join("/");
    const part = trees.get(prefix) ?? new FileTree();
    trees.set(prefix, part.set(name, node));
  }
  return trees;
}

/** One line for each entry below `prefix`, by its path there: type, mode, owner, target, other names, digest of the content. */
async function describeBelow(tree: FileTree, prefix: string): Promise<ReadonlyMap<string, string>> {
  const lines = new Map<string, string>();
  const groups = new Map<string, string[]>();
  for (const [name, node] of tree) {
    if (!name.startsWith(`${prefix}/`)) continue;
    const own = name.slice(prefix.length + 1);
    // Linux gives every link the same mode.
    const mode = node.type === "symlink" ? 0o777 : node.mode;
    let line = describeNode("", { ...node, mode }).replaceAll(`/${prefix}`, "");
    if (node.type === "file") {
      const content = await tree.contentDigest(name);
      line += ` ${content.slice(0, 16)}`;
      if (node.linkGroup !== undefined)
        groups.set(node.linkGroup, [...(groups.get(node.linkGroup) ?? []), own]);
    }
    lines.set(own, line);
  }
  for (const names of groups.values()) {
    // A file whose other names are gone is an ordinary one.
    if (names.length > 1)
      for (const name of names) lines.set(name, `${lines.get(name)} = ${names.join(" = ")}`);
  }
  return lines;
}

describe("a kernel that unpacks random layers", () => {
  let directory = "";
  let all: readonly (readonly Attempt[])[] = [];
  let made: ReadonlyMap<string, FileTree> = new Map();

  beforeAll(async () => {
    const workspace = await openWorkspace();
    directory = await makeDirectory("kernel");
    await workspace.build(["fetch-iso", "--source", "sample"]);
    const boot = workspace.path(".buildcache/v1/out/shared/fetch-iso/boot");
    const core = await readInitrd(path.join(boot, "corepure64.gz"), {
      spoolDir: path.join(directory, "core"),
    });
    const busybox = mergeLayers(core.map(({ tree }) => tree)).tree.file("bin/busybox");

    const { seed, numRuns } = cases(150);
    process.stdout.write(`${numRuns} cases of seed ${seed}\n`);
    const layers = fc.array(arbitraryTree({ anyBytes: true, crowded: true }), { minLength: 2, maxLength: 4 });
    all = fc.sample(layers, { seed, numRuns }).map(attempts);

    const base = new FileTree()
      .set("bin/busybox", busybox)
      .addFile("init", bytesContent(init), { mtime, mode: 0o755 })
      .set("dev/console", { type: "char", major: 5, minor: 1, mode: 0o600, uid: 0, gid: 0, mtime })
      .addDirectory("t", { mtime })
      .ensureParents({ mtime });
    const members = [base, ...all.flat().flatMap((one) => one.members)];
    const files: string[] = [];
    await mkdir(path.join(directory, "members"));
    for (const [index, member] of members.entries()) {
      const file = path.join(directory, "members", `${index}`);
      // One of three is plain; these begin wherever the ones before them end.
      await writeLayer(member, file, { level: index % 3 === 1 ? "none" : 1 });
      files.push(file);
    }
    const initrd = path.join(directory, "initrd");
    await joinLayers(files, initrd);
    const machine = bootQemu({
      kernel: path.join(boot, "vmlinuz64"),
      initrd,
      append: "console=ttyS0 quiet loglevel=0 panic=-1",
    });
    try {
      const [, text = "", digest = ""] = await machine.expect(
        /out-begins\r?\n([\s\S]*?)out-sha256 ([0-9a-f]{64})/,
        patience,
      );
      const packed = Buffer.from(text, "base64");
      expect(createHash("sha256").update(packed).digest("hex")).toBe(digest);
      made = splitByPrefix(await readArchive(gunzipSync(packed), path.join(directory, "made")));
    } finally {
      await machine.close();
    }
  }, 2 * patience);

  afterAll(() => removeDirectory(directory));

  async function readArchive(bytes: Buffer, file: string): Promise<FileTree> {
    await writeFile(file, bytes);
    const handle = await open(file);
    try {
      return (await readCpio(new FileWindow(handle, file), 0, bytes.length)).tree;
    } finally {
      await handle.close();
    }
  }

  async function describeMade(prefix: string): Promise<ReadonlyMap<string, string>> {
    return await describeBelow(made.get(prefix) ?? new FileTree(), prefix);
  }

  function report(index: number): string {
    const [raw] = all[index] ?? [];
    const layers = raw?.members.map((tree, at) => [
      `layer ${at}`,
      ...[...tree].map(([name, node]) => `  ${describeNode(JSON.stringify(name), node)}`),
    ]);
    return `case ${index}\n${layers?.flat().join("\n")}`;
  }

  it("makes of each what we say: types, modes, owners, targets, hard links and contents", async () => {
    type Lines = ReadonlyMap<string, string>;
    const wrong: { readonly what: string; readonly found: Lines; readonly ours: Lines }[] = [];
    let entries = 0;
    for (const [index, ways] of all.entries()) {
      for (const { prefix, expected } of ways) {
        const ours = await describeBelow(expected, prefix);
        entries += ours.size;
        const found = await describeMade(prefix);
        if (!isDeepStrictEqual(found, ours)) wrong.push({ what: `${prefix}: ${report(index)}`, found, ours });
      }
    }
    for (const { what, found, ours } of wrong) {
      process.stdout.write(`${wrong.length} attempts ended otherwise than we say\n`);
      expect(found, what).toEqual(ours);
    }
    process.stdout.write(`${entries} entries compared\n`);
    expect(entries).toBeGreaterThan(all.length);
  });

  it("makes the same of layers and of one archive, wherever we find nothing wrong with the layers", async () => {
    const same = { raw: 0, fixedUp: 0 };
    for (const [index, [raw, fixedUp, flat]] of all.entries()) {
      if (flat === undefined) continue;
      const wanted = await describeMade(flat.prefix);
      for (const [kind, one] of [
        ["raw", raw],
        ["fixedUp", fixedUp],
      ] as const) {
        if (one?.sound !== true) continue;
        same[kind] += 1;
        expect(await describeMade(one.prefix), `${one.prefix}: ${report(index)}`).toEqual(wanted);
      }
    }
    process.stdout.write(`of ${all.length} cases ${same.raw} are sound, and ${same.fixedUp} when fixed up\n`);
    expect(same.raw).toBeGreaterThan(0);
    expect(same.fixedUp).toBeGreaterThan(same.raw);
  });
});
