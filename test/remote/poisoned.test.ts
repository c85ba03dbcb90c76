/** Results that somebody who may write to the cache has forged: none of them is used, and the task runs. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { expect, it } from "vitest";
import { digestOfBytes, out, type Task, task } from "../../src/engine/index.ts";
import {
  type ActionResult,
  ActionResultSchema,
  DigestSchema,
  FileNodeSchema,
  SymlinkNodeSchema,
  type Tree,
  TreeSchema,
} from "../../src/remote/reapi_pb.ts";
import { run, workspace } from "../engine/workshop.ts";
import { digestOf, useRig } from "./rig.ts";

const rig = useRig();

const made: Task = task({
  name: "made",
  description: "",
  outputs: { tree: out.artifactDirectory("build/tree"), text: out.artifact("build/text") },
  run: ({ outputs }) => {
    writeFileSync(path.join(outputs.tree, "file"), "right");
    writeFileSync(outputs.text, "right");
  },
});

const evil = { hash: digestOf("evil"), sizeBytes: 4n };

/** Changes the only result that is stored. */
function forge(change: (result: ActionResult) => void): void {
  for (const [name, bytes] of rig().server.blobs) {
    if (!name.startsWith("ac/")) continue;
    const result = fromBinary(ActionResultSchema, bytes);
    change(result);
    rig().server.blobs.set(name, Buffer.from(toBinary(ActionResultSchema, result)));
  }
}

/** Gives the result another tree, stored under its right name. */
function forgeTree(change: (tree: Tree) => void): void {
  forge((result) => {
    for (const directory of result.outputDirectories) {
      const stored = rig().server.blobs.get(`cas/${directory.treeDigest?.hash}`);
      const tree = fromBinary(TreeSchema, stored ?? Buffer.of());
      change(tree);
      const bytes = Buffer.from(toBinary(TreeSchema, create(TreeSchema, tree)));
      const hash = digestOfBytes(bytes);
      // Named by the digest of its bytes, as whatever is in the cache.
      directory.treeDigest = create(DigestSchema, { hash, sizeBytes: BigInt(bytes.length) });
      rig().server.blobs.set(`cas/${hash}`, bytes);
    }
  });
}
const node = (name: string) => create(FileNodeSchema, { name, digest: evil, isExecutable: true });
const link = (name: string, target: string) => create(SymlinkNodeSchema, { name, target });
const addFile = (name: string) => () => forgeTree(({ root }) => root?.files.push(node(name)));
const addLink = (target: string) => () => forgeTree(({ root }) => root?.symlinks.push(link("link", target)));

const forgeries: Readonly<Record<string, () => void>> = {
  "a file beside the output": addFile("../pwn"),
  "a file above the workspace": addFile("../../../pwn"),
  "a file at an absolute path": addFile("/tmp/pwn"),
  "a file with two dots for a name": addFile(".."),
  "a file without a name": addFile(""),
  "a link to an absolute path": addLink("/etc"),
  "a link that leads out of the output": addLink("../../.."),
  "a file below a link": () =>
    forgeTree(({ root }) => {
      root?.symlinks.push(link("link", "."));
      root?.files.push(node("link/pwn"));
    }),
  "a command that failed": () =>
    forge((result) => {
      result.exitCode = 1;
    }),
  "an output that the task does not have": () =>
    forge((result) => {
      for (const file of result.outputFiles) file.path = "other";
    }),
  "a missing output": () => forge((result) => result.outputFiles.pop()),
  "a path that leaves the workspace": () =>
    forge((result) => {
      for (const file of result.outputFiles) file.path = "../pwn";
    }),
  "a directory in place of a file": () =>
    forge((result) => {
      for (const directory of result.outputDirectories) directory.path = "text";
      result.outputFiles.pop();
    }),
  "a result of 17 MiB": () =>
    forge((result) => {
      result.stdoutRaw = new Uint8Array(17 * 1024 ** 2);
    }),
};

it.each(Object.entries(forgeries))("with %s", async (_what, poison) => {
  const { cache: theirs } = rig().open({ upload: true });
  await run(workspace({}), [made], { remote: theirs });
  const { signal } = new AbortController();
  expect(await theirs.flush(10, signal)).toBe(0);
  rig().server.blobs.set(`cas/${evil.hash}`, Buffer.from("evil"));
  const results = () => [...rig().server.blobs].filter(([name]) => name.startsWith("ac/")).join();
  const stored = results();
  poison();
  expect(results()).not.toBe(stored);

  const around = workspace({ "workspace/.keep": "" });
  const root = path.join(around, "workspace") as typeof around;
  const { cache } = rig().open();
  const { outcome, outcomes } = await run(root, [made], { remote: cache });
  expect({ outcome, outcomes }).toEqual({ outcome: "succeeded", outcomes: { "made@dev": "never built" } });
  expect(cache.traffic).toMatchObject({ hits: 0 });
  expect(readdirSync(path.join(root, "build/tree"))).toEqual(["file"]);
  expect(readFileSync(path.join(root, "build/tree/file"), "utf8")).toBe("right");
  expect(readFileSync(path.join(root, "build/text"), "utf8")).toBe("right");
  expect(readdirSync(around)).toEqual(["workspace"]);
  expect(existsSync("/tmp/pwn")).toBe(false);
});

it("and what was not forged is restored", async () => {
  const { cache: theirs } = rig().open({ upload: true });
  await run(workspace({}), [made], { remote: theirs });
  await theirs.flush(10, new AbortController().signal);
  const { outcomes } = await run(workspace({}), [made], { remote: rig().open().cache });
  expect(outcomes).toEqual({ "made@dev": "restored" });
});
