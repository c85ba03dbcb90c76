/** What is in a sparse file, read out of an archive that GNU tar made of it. */
import { mkdtemp, open, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type SparseMap, takeOutExtents } from "../../src/formats/index.ts";
import { createShell, ProcessGroups, type Shell } from "../../src/host/index.ts";
import { usesPrograms } from "../support/programs.ts";

usesPrograms("tar");

describe("what is in a sparse file", () => {
  let directory = "";
  let $: Shell;
  const at = (name: string): string => path.join(directory, name);
  beforeEach(async () => {
    directory = await mkdtemp(path.join(tmpdir(), "sparse tar "));
    $ = await createShell({ cwd: directory, groups: new ProcessGroups() });
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));

  const takeOut = async (): Promise<{ readonly map: SparseMap; readonly bytes: Buffer }> => {
    await $`tar --format=posix --sparse --sparse-version=1.0 -cf disk.tar disk`;
    const map = await takeOutExtents(at("disk.tar"), at("data"));
    return { map, bytes: await readFile(at("data")) };
  };
  const make = async (
    size: number,
    pieces: readonly (readonly [offset: number, bytes: Buffer])[],
  ): Promise<void> => {
    await rm(at("disk"), { force: true });
    await writeFile(at("disk"), "");
    await truncate(at("disk"), size);
    const handle = await open(at("disk"), "r+");
    for (const [offset, bytes] of pieces) await handle.write(bytes, 0, bytes.length, offset);
    await handle.close();
  };

  it("is found in a file of a terabyte, without blocks of NULs that were written", async () => {
    await make(2 ** 40, [
      [0, Buffer.from("first")],
      [2 ** 20, Buffer.alloc(8192)],
      [2 ** 39, Buffer.alloc(5000, 1)],
    ]);
    const { map, bytes } = await takeOut();
    expect(map).toEqual({
      size: 2 ** 40,
      extents: [
        { offset: 0, length: 4096 },
        { offset: 2 ** 39, length: 8192 },
      ],
    });
    expect(bytes.subarray(0, 5).toString()).toBe("first");
    expect(bytes.length).toBe(3 * 4096);
  });

  it("is nothing in a file of holes, and all in a file without any", async () => {
    await make(1e6, []);
    expect((await takeOut()).map).toEqual({ size: 1e6, extents: [] });
    await make(5000, [[0, Buffer.alloc(5000, 9)]]);
    expect((await takeOut()).map).toEqual({ size: 5000, extents: [{ offset: 0, length: 5000 }] });
  });

  it("gives the file back, whatever is where", async () => {
    const stretch = fc.tuple(fc.nat(300_000), fc.uint8Array({ minLength: 1, maxLength: 9000 }));
    await fc.assert(
      fc.asyncProperty(fc.array(stretch, { maxLength: 6 }), async (pieces) => {
        await make(
          320_000,
          pieces.map(([offset, bytes]) => [offset, Buffer.from(bytes)] as const),
        );
        const { map, bytes } = await takeOut();
        const back = Buffer.alloc(map.size);
        let from = 0;
        for (const { offset, length } of map.extents) {
          bytes.copy(back, offset, from, from + length);
          from += length;
        }
        expect(from).toBe(bytes.length);
        expect(back.equals(await readFile(at("disk")))).toBe(true);
      }),
      { numRuns: 15 },
    );
  });

  it("is an error where the archive is cut off, or none", async () => {
    await make(1e6, [[500_000, Buffer.alloc(9000, 1)]]);
    await takeOut();
    await truncate(at("disk.tar"), 4096);
    await expect(takeOutExtents(at("disk.tar"), at("data"))).rejects.toThrow("cut off");
    await writeFile(at("disk.tar"), Buffer.alloc(4096));
    await expect(takeOutExtents(at("disk.tar"), at("data"))).rejects.toThrow("extended header");
  });
});
