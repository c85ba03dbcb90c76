/** Initrds made to take more time, memory or disk than their size lets expect. */
import { writeFile } from "node:fs/promises";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { compareFiles } from "../../src/comparison/index.ts";
import {
  type FileTree,
  flattenLayers,
  mergeLayers,
  readInitrd,
  type UnpackLimits,
} from "../../src/formats/index.ts";
import { limitSettings } from "../../tasks/settings/limit-options.ts";
import { useWorkspace } from "../formats/workspace.ts";
import { cpioArchive, manyFiles } from "./raw-cpio.ts";

const workspace = useWorkspace();
let places = 0;

async function read(bytes: Buffer, limits: UnpackLimits = {}): Promise<readonly FileTree[]> {
  const file = workspace.path(`${++places}.gz`);
  await writeFile(file, bytes);
  const members = await readInitrd(file, { spoolDir: `${file}.spool`, limits, name: "core.gz" });
  return members.map(({ tree }) => tree);
}

describe("hard links", () => {
  // With the square of their number it would be a minute.
  it("of one file are read, merged, flattened and compared in time that grows with their number", async () => {
    const linked = gzipSync(cpioArchive(manyFiles(15_000, true)));
    const changed = gzipSync(
      cpioArchive([...manyFiles(14_999, true), { name: "d/last", ino: 7, nlink: 15_000 }]),
    );
    const [tree] = await read(linked);
    const groups = new Set([...(tree ?? [])].map(([, node]) => (node.type === "file" ? node.linkGroup : "")));
    expect(groups.size).toBe(2);
    const [one, other] = [workspace.path("linked.gz"), workspace.path("changed.gz")];
    await writeFile(one, linked);
    await writeFile(other, changed);
    const differences = await compareFiles(one, other, { spoolDir: workspace.path("links") });
    expect(differences.filter(({ kind }) => kind === "only").map(({ name }) => name)).toEqual([
      "d/14999",
      "d/last",
    ]);
    const longest = Math.max(...differences.flatMap(({ a = "", b = "" }) => [a.length, b.length]));
    expect(longest).toBeLessThan(1000);
    expect(flattenLayers([tree ?? []].flat() as FileTree[]).size).toBe(15_001);
  });

  it("that a later layer overwrites one by one are reported without listing all of them each time", async () => {
    const [lower] = await read(cpioArchive(manyFiles(10_000, true)));
    const [upper] = await read(cpioArchive(manyFiles(10_000)));
    if (lower === undefined || upper === undefined) throw new Error("no archive");
    const { problems } = mergeLayers([lower, upper]);
    const named = problems.map((problem) =>
      problem.kind === "hard-link-truncated" ? problem.otherNames.length : 0,
    );
    expect(problems).toHaveLength(10_000);
    expect(Math.max(...named)).toBe(10);
  });

  it("have the bytes that the kernel gives them: the first name's owner, the last bytes", async () => {
    const [tree] = await read(
      cpioArchive([
        { name: "a", ino: 5, nlink: 3, mode: 0o100600, content: "first" },
        { name: "b", ino: 5, nlink: 3, mode: 0o100644, content: "second" },
        { name: "c", ino: 5, nlink: 3 },
      ]),
    );
    for (const name of ["a", "b", "c"]) {
      expect((await tree?.read(name))?.toString()).toBe("second");
      expect(tree?.get(name)?.mode).toBe(0o600);
    }
  });
});

it("directories that files replace go with all that is in them, in time that grows with their number", async () => {
  const directories = Array.from({ length: 3000 }, (_, index) => `d${index}`);
  const [lower] = await read(
    cpioArchive(
      directories.flatMap((name) => [
        { name, mode: 0o040755 },
        { name: `${name}/a` },
        { name: `${name}/b`, mode: 0o040755 },
        { name: `${name}/b/c` },
      ]),
    ),
  );
  const [upper] = await read(cpioArchive(directories.map((name) => ({ name, content: name }))));
  if (lower === undefined || upper === undefined) throw new Error("no archive");
  const flat = flattenLayers([lower, upper]);
  expect([...flat.paths()].sort()).toEqual([...directories].sort());
});

describe("an initrd is refused by name, with the option that allows more", () => {
  const refusals = [
    ["more files than the limit", cpioArchive(manyFiles(300)), { maxEntries: 200 }, "--max-entries"],
    [
      "more files in all of its archives",
      Buffer.concat([cpioArchive(manyFiles(150)), cpioArchive(manyFiles(150))]),
      { maxEntries: 200 },
      "--max-entries",
    ],
    [
      "more archives than the limit",
      Buffer.concat(Array.from({ length: 30 }, () => gzipSync(cpioArchive([])))),
      { maxEntries: 200 },
      "--max-entries",
    ],
    [
      "more archives in one member",
      gzipSync(Buffer.concat(Array.from({ length: 30 }, () => cpioArchive([])))),
      { maxEntries: 200 },
      "--max-entries",
    ],
    [
      "names longer than the limit altogether",
      cpioArchive(
        Array.from({ length: 40 }, (_, index) => ({ name: `${index}${"x".repeat(4000)}`, ino: index })),
      ),
      { maxEntries: 100 },
      "--max-entries",
    ],
    [
      "directories deeper than the limit",
      cpioArchive([{ name: "d/".repeat(200), mode: 0o040755 }]),
      {},
      "--max-depth",
    ],
    [
      "more bytes in several members than in one",
      Buffer.concat(
        [0, 1, 2].map((index) => gzipSync(cpioArchive([{ name: `${index}`, content: "x".repeat(4000) }]))),
      ),
      { maxBytes: 10_000 },
      "--max-unpacked",
    ],
  ] as const;
  it.each(refusals)("%s", async (_, bytes, limits, option) => {
    const error = await read(bytes, { ...limits, settings: limitSettings }).catch(
      (reason: unknown) => reason,
    );
    expect(error).toMatchObject({ code: "bomb", where: expect.stringContaining("core.gz") });
    expect((error as { hint: string }).hint).toContain(option);
  });
});

it("an initrd may end with megabytes of NULs", async () => {
  const [tree] = await read(
    Buffer.concat([cpioArchive([{ name: "a" }]), Buffer.alloc(64 * 1024 * 1024), Buffer.alloc(1)]),
  );
  expect(tree?.paths()).toEqual(["a"]);
});
