/** Results as messages of the protocol, and what is believed of those that others wrote. */
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { digestOfBytes, type Listing, listingOf } from "../../src/engine/index.ts";
import { encodeAction } from "../../src/remote/action.ts";
import { decodeResult, encodeResult, parseResult, treesOf } from "../../src/remote/action-result.ts";
import { ActionResultSchema, DirectorySchema, TreeSchema } from "../../src/remote/reapi_pb.ts";
import { decodeTree } from "../../src/remote/tree.ts";
import { cases } from "../support/cases.ts";
import { digestOf, key, outputs, signal, useRig } from "./rig.ts";

const rig = useRig();

describe("a listing", () => {
  const name = fc.stringMatching(/^[a-z.ü-]{1,3}$/).filter((text) => text !== "." && text !== "..");
  const entry = fc.oneof(
    fc.record({
      type: fc.constant("file" as const),
      executable: fc.boolean(),
      digest: fc.constant(digestOf("x")),
      size: fc.nat(),
    }),
    fc.record({ type: fc.constant("link" as const), target: name }),
    fc.constant({ type: "directory" as const }),
  );
  const listing = fc.array(fc.tuple(fc.array(name, { minLength: 1, maxLength: 4 }), entry), {
    maxLength: 20,
  });

  it("survives the form of the protocol, whatever is in it", () => {
    fc.assert(
      fc.property(listing, (drawn) => {
        const entries = new Map<string, Listing extends ReadonlyMap<string, infer E> ? E : never>([
          ["out", { type: "directory" }],
        ]);
        for (const [names, one] of drawn) {
          const parents = names.slice(0, -1).map((_, index) => `out/${names.slice(0, index + 1).join("/")}`);
          if (parents.some((parent) => (entries.get(parent)?.type ?? "directory") !== "directory")) continue;
          for (const parent of parents) entries.set(parent, { type: "directory" });
          const at = `out/${names.join("/")}`;
          if (!entries.has(at)) entries.set(at, one);
        }
        const wanted = listingOf([...entries]);
        const { result, trees } = encodeResult({ outputs: wanted, seconds: 0.25, maker: "m" });
        const message = parseResult(result.bytes);
        const references = message === undefined ? undefined : treesOf(message);
        if (message === undefined || references === undefined) throw new Error("not read back");
        const bytes = new Map(
          [...references].map(([slot], index) => [slot, trees[index]?.bytes ?? Buffer.of()]),
        );
        expect(decodeResult(message, bytes)).toEqual({ outputs: wanted, seconds: 0.25, maker: "m" });
      }),
      cases(200),
    );
  });

  it("that somebody else wrote is refused where it is not whole, or no such thing", async () => {
    const { result } = encodeResult({ outputs, seconds: 1, maker: "m" });
    const message = fromBinary(ActionResultSchema, result.bytes);
    const again = (change: (copy: typeof message) => void): Uint8Array => {
      const copy = fromBinary(ActionResultSchema, result.bytes);
      change(copy);
      return toBinary(ActionResultSchema, copy);
    };
    const broken: Readonly<Record<string, Uint8Array>> = {
      "no message": Buffer.from("<html>not found</html>"),
      "a command that failed": again((copy) => {
        copy.exitCode = 1;
      }),
      "an output named twice": again((copy) => {
        copy.outputFiles.push(...copy.outputFiles);
      }),
      "a digest that is none": again((copy) => {
        for (const one of copy.outputFiles)
          if (one.digest !== undefined) one.digest.hash = "../../etc/passwd";
      }),
      "no digest": again((copy) => {
        for (const one of copy.outputFiles) delete one.digest;
      }),
      "a size that no file has": again((copy) => {
        for (const one of copy.outputFiles) if (one.digest !== undefined) one.digest.sizeBytes = -1n;
      }),
      "a link beside the outputs": again((copy) => {
        copy.outputSymlinks.push({
          $typeName: "build.bazel.remote.execution.v2.OutputSymlink",
          path: "text",
          target: "/",
        });
      }),
    };
    await rig().store();
    const place = `ac/${encodeAction(key).action.digest}`;
    for (const [what, bytes] of Object.entries(broken)) {
      rig().server.blobs.set(place, Buffer.from(bytes));
      const { cache } = rig().open();
      expect(await cache.find(key, signal), what).toBeUndefined();
    }
  });

  it("that describes far more than it has bytes is given up", () => {
    let directory = create(DirectorySchema, {
      files: [{ name: "f", digest: { hash: digestOf(""), sizeBytes: 0n } }],
    });
    const children = [directory];
    for (let level = 0; level < 40; level += 1) {
      const bytes = toBinary(DirectorySchema, directory);
      const digest = { hash: digestOfBytes(bytes), sizeBytes: BigInt(bytes.length) };
      directory = create(DirectorySchema, { directories: ["a", "b"].map((one) => ({ name: one, digest })) });
      children.push(directory);
    }
    const bomb = toBinary(TreeSchema, create(TreeSchema, { root: directory, children }));
    expect(bomb.length).toBeLessThan(10_000);
    expect(decodeTree(bomb, 1000)).toBeUndefined();
  });
});
