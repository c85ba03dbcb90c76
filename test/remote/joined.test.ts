/** Files that are made of parts, one behind the other: only the parts travel, and of those only what is missing. */
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { type AbsolutePath, file, listingOf, out, type Task, task } from "../../src/engine/index.ts";
import { decodeResult, encodeResult, parseResult, treesOf } from "../../src/remote/action-result.ts";
import { TreeSchema } from "../../src/remote/reapi_pb.ts";
import { decodeTree, encodeTree } from "../../src/remote/tree.ts";
import { run, workspace } from "../engine/workshop.ts";
import { digestOf, useRig } from "./rig.ts";

const rig = useRig();
const parts = ["one ", "two"].map((text) => ({ digest: digestOf(text), size: text.length }));
const whole = { type: "file", executable: true, digest: digestOf("one two"), size: 7 } as const;
const joined = new Map([[whole.digest, parts]]);

describe("a joined file", () => {
  it("survives the form of the protocol, as an output and in a directory of outputs", () => {
    const outputs = listingOf([
      ["image", whole],
      ["tree", { type: "directory" }],
      ["tree/a", { type: "directory" }],
      ["tree/a/image", whole],
      ["tree/plain", { ...whole, executable: false, digest: digestOf("plain"), size: 5 }],
    ]);
    const { result, trees } = encodeResult({ outputs, joined, seconds: 1, maker: "m" });
    const message = parseResult(result.bytes);
    if (message === undefined) throw new Error("not read back");
    const bytes = new Map(
      [...(treesOf(message) ?? [])].map(([slot], index) => [slot, trees[index]?.bytes ?? Buffer.of()]),
    );
    expect(decodeResult(message, bytes)).toEqual({ outputs, joined, seconds: 1, maker: "m" });
  });

  it("is refused where its parts do not have its size, or are itself", () => {
    const tree = encodeTree([["", whole]], joined).bytes;
    expect(decodeTree(tree, 10)?.entries).toEqual([["", whole]]);
    const broken = (change: (copy: NonNullable<ReturnType<typeof root>>) => void): Uint8Array => {
      const message = fromBinary(TreeSchema, tree);
      const copy = root(message);
      if (copy !== undefined) change(copy);
      return toBinary(TreeSchema, create(TreeSchema, message));
    };
    const root = (message: ReturnType<typeof fromBinary<typeof TreeSchema>>) => message.root;
    const property = (value: string) => (copy: NonNullable<ReturnType<typeof root>>) => {
      for (const one of copy.nodeProperties?.properties ?? []) one.value = value;
    };
    for (const bytes of [
      broken((copy) => copy.files.pop()),
      broken((copy) => {
        for (const one of copy.files) delete one.digest;
      }),
      broken(property("../../etc/passwd")),
      broken(property(`${parts[0]?.digest}/7`)),
      broken(property(`${whole.digest}/8`)),
    ])
      expect(decodeTree(bytes, 10)).toBeUndefined();
    // A few names may not describe any number of parts either.
    expect(decodeTree(tree, 2)).toBeUndefined();
  });
});

const large = task({
  name: "large",
  description: "",
  inputs: { text: file("large.txt") },
  outputs: { text: out.file("large") },
  run: ({ inputs, outputs }) => writeFileSync(outputs.text, readFileSync(inputs.text)),
});
const image: Task = task({
  name: "image",
  description: "",
  needs: { large },
  inputs: { edited: file("edited.txt") },
  outputs: { image: out.artifact("image.bin") },
  run: async ({ needs, inputs, outputs, join }) => {
    await join(outputs.image, [{ file: needs.large.text }, { file: inputs.edited }]);
  },
});
const largeText = "a large part. ".repeat(10_000);

async function build(edited: string, root = workspace({ "large.txt": largeText, "edited.txt": edited })) {
  writeFileSync(path.join(root, "edited.txt"), edited);
  const { cache, warnings } = rig().open({ upload: true });
  const { outcomes } = await run(root, [image], { remote: cache });
  expect(await cache.flush(10, new AbortController().signal)).toBe(0);
  expect(warnings).toEqual([]);
  return { root, outcomes, traffic: cache.traffic };
}
const imageIn = (root: AbsolutePath): string => readFileSync(path.join(root, "image.bin"), "utf8");
const sent = (method: string, text: string): number =>
  rig().server.requests.filter((one) => one === `${method} cas/${digestOf(text)}`).length;

describe("the parts of an image", () => {
  it("are stored once, and never the image; another machine makes the same of them", async () => {
    await build("one");
    expect(sent("PUT", `${largeText}one`)).toBe(0);
    expect([sent("PUT", largeText), sent("PUT", "one")]).toEqual([1, 1]);
    // Whatever is stored has the name of its content.
    for (const [name, bytes] of rig().server.blobs)
      if (name.startsWith("cas/"))
        expect(name).toBe(`cas/${createHash("sha256").update(bytes).digest("hex")}`);

    const { root, outcomes } = await build("one", workspace({ "large.txt": largeText }));
    expect(outcomes).toEqual({ "large@dev": "restored", "image@dev": "restored" });
    expect(imageIn(root)).toBe(`${largeText}one`);
    expect([sent("GET", largeText), sent("GET", "one")]).toEqual([1, 1]);
  });

  it("are neither fetched where this machine has them, nor sent where the server has them", async () => {
    const first = await build("one");
    rig().server.requests.length = 0;
    // An edit on the first machine: only the edited part is sent.
    const edited = await build("two", first.root);
    expect([sent("PUT", largeText), sent("PUT", "two")]).toEqual([0, 1]);
    expect(edited.traffic.sent).toBeLessThan(10_000);

    const second = await build("one", workspace({ "large.txt": largeText }));
    rig().server.requests.length = 0;
    const { root, outcomes, traffic } = await build("two", second.root);
    expect(outcomes["image@dev"]).toBe("restored");
    expect(imageIn(root)).toBe(`${largeText}two`);
    expect([sent("GET", largeText), sent("GET", "two")]).toEqual([0, 1]);
    expect(traffic.received).toBeLessThan(10_000);
  });

  it("that make another file than they should are not used: the task runs", async () => {
    await build("one");
    // Another part of the same size under the right name of its own, in a tree that was made by somebody else.
    const evil = Buffer.from("eno");
    for (const [name, bytes] of rig().server.blobs) {
      const tree = name.startsWith("cas/") ? decodeTree(bytes, 100) : undefined;
      const [entry] = [...(tree?.joined ?? [])];
      if (entry === undefined) continue;
      const [digest, [first]] = entry as [typeof whole.digest, typeof parts];
      if (first === undefined) throw new Error("no part");
      const forged = new Map([[digest, [first, { digest: digestOf("eno"), size: 3 }]]]);
      const blob = encodeTree(tree?.entries ?? [], forged);
      rig().server.blobs.set(`cas/${blob.digest}`, Buffer.from(blob.bytes));
      rig().server.blobs.set(`cas/${digestOf("eno")}`, evil);
      for (const [key, message] of rig().server.blobs) {
        if (!key.startsWith("ac/")) continue;
        const text = message.toString("latin1").replaceAll(name.slice("cas/".length), blob.digest);
        rig().server.blobs.set(key, Buffer.from(text, "latin1"));
      }
      break;
    }
    const { root, outcomes } = await build("one", workspace({ "large.txt": largeText }));
    expect(sent("GET", "eno")).toBe(1);
    expect(outcomes["image@dev"]).not.toBe("restored");
    expect(imageIn(root)).toBe(`${largeText}one`);
  });
});
