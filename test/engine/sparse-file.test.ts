/** Outputs that are far larger than what is in them: written with holes, known without being read, and never in the store. */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
} from "node:fs";
import { open, writeFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { type AbsolutePath, file, out, State, type Task, task } from "../../src/engine/index.ts";
import { run, workspace, write } from "./workshop.ts";

/** As large as a disk; the test could not read it in time. */
const size = 2 ** 40;
const far = size - 4096;

const disk: Task = task({
  name: "disk",
  description: "a disk's image",
  inputs: { edited: file("edited.txt") },
  outputs: { image: out.artifact("build/disk.img", { sparse: true }) },
  async run({ inputs, outputs, scratch, writeSparse, note }) {
    const data = path.join(scratch, "data");
    await writeFile(
      data,
      Buffer.concat([Buffer.from("skipped"), Buffer.alloc(3 * 4096), Buffer.from("end")]),
    );
    const written = await writeSparse(outputs.image, size, [
      { offset: 0, file: inputs.edited },
      { offset: 1_048_576, file: data, from: 7 },
      { offset: far, bytes: Buffer.from("tail") },
    ]);
    note(`${written} bytes`);
  },
});

async function bytesAt(name: string, offset: number, length: number): Promise<string> {
  const handle = await open(name, "r");
  try {
    return (await handle.read(Buffer.alloc(length), 0, length, offset)).buffer.toString("latin1");
  } finally {
    await handle.close();
  }
}

describe("a sparse output", () => {
  const build = () => workspace({ "edited.txt": "one" });
  const image = (root: string) => path.join(root, "build/disk.img");

  it("has its pieces at their places, and holes for all else", async () => {
    const root = build();
    const { notes } = await run(root, [disk]);
    expect(notes).toEqual(["10 bytes"]);
    expect(statSync(image(root)).size).toBe(size);
    expect(statSync(image(root)).blocks * 512).toBeLessThan(100_000);
    expect(await bytesAt(image(root), 0, 5)).toBe("one\0\0");
    expect(await bytesAt(image(root), 1_048_576 + 3 * 4096 - 1, 5)).toBe("\0end\0");
    expect(await bytesAt(image(root), far, 4)).toBe("tail");
  });

  it("is fresh at once, and made again when its input or it changes, without being read", async () => {
    const root = build();
    await run(root, [disk]);
    expect((await run(root, [disk])).outcomes["disk@dev"]).toBe("fresh");
    write(root, "edited.txt", "two");
    expect((await run(root, [disk])).outcomes["disk@dev"]).toMatch(/edited.txt/);
    expect(await bytesAt(image(root), 0, 3)).toBe("two");
    utimesSync(image(root), 1, 1);
    expect((await run(root, [disk])).outcomes["disk@dev"]).toMatch(/disk.img/);
    expect((await run(root, [disk])).outcomes["disk@dev"]).toBe("fresh");
    rmSync(image(root));
    expect((await run(root, [disk])).outcomes["disk@dev"]).toMatch(/disk.img/);
    expect(await bytesAt(image(root), far, 4)).toBe("tail");
  });

  it.skipIf(!existsSync("/dev/shm"))(
    "keeps its holes on its way to another file system, and is fresh there",
    async () => {
      const root = build();
      const elsewhere = mkdtempSync("/dev/shm/sparse-");
      try {
        // A cache that was moved to another disk.
        mkdirSync(path.join(elsewhere, "cache"));
        symlinkSync(path.join(elsewhere, "cache"), path.join(root, ".buildcache"));
        const small = task({
          ...{ name: "small", description: "a disk's image", inputs: { edited: file("edited.txt") } },
          outputs: { image: out.artifact("disk.img", { sparse: true }) },
          run: async ({ inputs, outputs, writeSparse }) =>
            void (await writeSparse(outputs.image, 2 ** 28, [{ offset: 2 ** 20, file: inputs.edited }])),
        });
        await run(root, [small]);
        const placed = path.join(root, "disk.img");
        expect(await bytesAt(placed, 2 ** 20, 3)).toBe("one");
        expect(statSync(placed).blocks * 512).toBeLessThan(100_000);
        expect((await run(root, [small])).outcomes["small@dev"]).toBe("fresh");
      } finally {
        rmSync(elsewhere, { recursive: true });
      }
    },
  );

  it("is not in the store, and no result of other machines", async () => {
    const root = build();
    await run(root, [disk]);
    const store = path.join(root, ".buildcache/v1/store");
    const stored = readdirSync(store, { recursive: true, withFileTypes: true }).filter((one) => one.isFile());
    const sizes = stored.map((one) => statSync(path.join(one.parentPath, one.name)).size);
    expect(Math.max(0, ...sizes)).toBeLessThan(10_000);
  });

  it("is known by its places, too", async () => {
    const digests = new Set<string>();
    for (const offset of [0, 4096]) {
      const root = build();
      const moved = task({
        name: "moved",
        description: "the same bytes elsewhere",
        outputs: { image: out.artifact("disk.img", { sparse: true }) },
        run: async ({ outputs, writeSparse }) =>
          void (await writeSparse(outputs.image, size, [{ offset, bytes: Buffer.from("x") }])),
      });
      await run(root, [moved]);
      const entry = await new State(root as AbsolutePath).files.at(
        path.join(root, "disk.img") as AbsolutePath,
      );
      digests.add(entry?.type === "file" ? entry.digest : "");
    }
    expect(digests.size).toBe(2);
    expect(digests).not.toContain("");
  });

  it.each([
    [
      "overlap",
      [
        { offset: 0, bytes: Buffer.alloc(10, 1) },
        { offset: 9, bytes: Buffer.alloc(1) },
      ],
      /overlap/,
    ],
    ["leave the file", [{ offset: size - 1, bytes: Buffer.from("ab") }], /needs? .* bytes/],
    ["are longer than their file", [{ offset: 0, file: "edited.txt", length: 99 }], /too early/],
  ])("refuses pieces that %s", async (_, pieces, message) => {
    const root = build();
    const wrong = task({
      name: "wrong",
      description: "pieces that do not fit",
      inputs: { edited: file("edited.txt") },
      outputs: { image: out.artifact("disk.img", { sparse: true }) },
      run: async ({ inputs, outputs, writeSparse }) => {
        const there = pieces.map((piece) => ("file" in piece ? { ...piece, file: inputs.edited } : piece));
        await writeSparse(outputs.image, size, there);
      },
    });
    expect((await run(root, [wrong])).outcomes["wrong@dev"]).toMatch(message);
  });

  it("is refused where the output is not declared so", async () => {
    const root = build();
    const wrong = task({
      name: "wrong",
      description: "an output that would be read",
      outputs: { image: out.artifact("disk.img") },
      run: async ({ outputs, writeSparse }) => void (await writeSparse(outputs.image, 1, [])),
    });
    expect((await run(root, [wrong])).outcomes["wrong@dev"]).toMatch(/not declared as sparse/);
  });
});
