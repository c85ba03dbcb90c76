/** Pairs of files made so that comparing them would take hours, or fill the disk. */
import { readdir, stat, writeFile } from "node:fs/promises";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { compareEntries } from "../../src/comparison/entry.ts";
import { compareFiles } from "../../src/comparison/index.ts";
import { bytesContent, FileTree, type UnpackLimits, writeLayer } from "../../src/formats/index.ts";
import { limitSettings } from "../../tasks/settings/limit-options.ts";
import { useWorkspace } from "../formats/workspace.ts";
import { cpioArchive } from "./raw-cpio.ts";

const workspace = useWorkspace();
const mtime = 1_700_000_000;
let places = 0;

async function compare(one: Buffer, other: Buffer, limits: UnpackLimits = {}) {
  const name = workspace.path(`${++places}`);
  await writeFile(`${name} a`, one);
  await writeFile(`${name} b`, other);
  const spoolDir = `${name} spool`;
  return { spoolDir, differences: await compareFiles(`${name} a`, `${name} b`, { spoolDir, limits }) };
}

/** A packed initrd of these files. */
function initrd(files: Readonly<Record<string, string | Buffer>>): Buffer {
  return gzipSync(
    cpioArchive(Object.entries(files).map(([name, content], ino) => ({ name, content, ino: ino + 1 }))),
  );
}

const lines = (count: number, line: (index: number) => string): string =>
  Array.from({ length: count }, (_, index) => `${line(index)}\n`).join("");

describe("texts of which much differs", () => {
  it("are shown as bytes, while those with small changes are shown by line", async () => {
    const text = lines(20_000, (index) => `line ${index}`);
    const before = process.cpuUsage();
    const { differences } = await compare(
      initrd({ large: lines(30_000, (index) => `${index * 7919}`), small: text }),
      initrd({
        large: lines(30_000, (index) => `x${index * 7907}`),
        small: text.replace("line 77\n", "other\n"),
      }),
    );
    const of = (name: string) => differences.find((difference) => difference.name === name);
    expect(of("small")?.lines).toEqual(expect.arrayContaining(["-line 77", "+other"]));
    expect(of("large")?.lines).toBeUndefined();
    expect(of("large")?.b).toContain("from byte 0 on");
    // Without a bound the work is that of 30,000 squared: more than ten minutes.
    expect(process.cpuUsage(before).user / 1e6).toBeLessThan(30);
  });

  it("take no more time when there are hundreds of them", async () => {
    const files = (mark: string): Buffer =>
      initrd(
        Object.fromEntries(
          Array.from({ length: 200 }, (_, file) => [
            `f${file}`,
            lines(700, (index) => `${mark} ${file} ${index}`),
          ]),
        ),
      );
    const before = process.cpuUsage();
    const { differences } = await compare(files("a"), files("b"));
    expect(differences.filter(({ kind }) => kind === "content")).toHaveLength(200);
    expect(process.cpuUsage(before).user / 1e6).toBeLessThan(30);
  });
});

describe("archives in archives", () => {
  const zeros = (mark: string): Buffer =>
    initrd({ zeros: Buffer.concat([Buffer.from(mark), Buffer.alloc(1_000_000)]) });

  it("share one limit: many small bombs are refused as one large one is", async () => {
    const nested = (mark: string): Buffer =>
      initrd(
        Object.fromEntries(
          Array.from({ length: 40 }, (_, index) => [`${index}.gz`, zeros(`${mark}${index}`)]),
        ),
      );
    const compared = compare(nested("a"), nested("b"), {
      maxBytes: 10_000_000,
      settings: limitSettings,
    });
    await expect(compared).rejects.toMatchObject({
      ...{ code: "bomb", hint: expect.stringContaining("--max-unpacked") },
    });
    // Not much more than allowed has come to the disk, either.
    const spool = workspace.path(`${places} spool`);
    const entries = await readdir(spool, { recursive: true, withFileTypes: true });
    const sizes = entries
      .filter((entry) => entry.isFile())
      .map(async (entry) => {
        return (await stat(`${entry.parentPath}/${entry.name}`)).size;
      });
    const bytes = (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
    expect(bytes).toBeLessThan(12_000_000);
  });

  it("that unpack to too much one by one are compared as files like any other", async () => {
    const bomb = (mark: string): Buffer =>
      initrd({ zeros: Buffer.concat([Buffer.from(mark), Buffer.alloc(30_000_000)]) });
    const { differences } = await compare(initrd({ "bomb.gz": bomb("a") }), initrd({ "bomb.gz": bomb("b") }));
    expect(differences.map(({ kind, name }) => [kind, name])).toContainEqual(["content", "bomb.gz"]);
  });

  it("are opened once, however many names one of them has", async () => {
    const archive = (text: string): Buffer =>
      cpioArchive([
        ...Array.from({ length: 300 }, (_, index) => ({ name: `n${index}`, ino: 9, nlink: 301 })),
        { name: "z", ino: 9, nlink: 301, content: initrd({ note: text }) },
      ]);
    const { spoolDir, differences } = await compare(archive("one\n"), archive("two\n"));
    expect(differences.filter(({ kind, name }) => kind === "content" && name === "note")).toHaveLength(1);
    // A copy and what is in it, of each side.
    expect((await readdir(spoolDir)).length).toBeLessThan(12);
  });
});

it("a time that no calendar has is shown as a number", () => {
  const entry = (time: number) => ({
    ...{ path: "a", links: undefined },
    node: { type: "directory", mode: 0o755, uid: 0, gid: 0, mtime: time } as const,
  });
  expect(compareEntries(entry(mtime), entry(2 ** 53))).toEqual([
    { kind: "time", a: "2023-11-14T22:13:20Z", b: "9007199254740992 s after 1970" },
  ]);
});

it("a layer of the build's own may hold a file of zeros, and is compared when it is allowed", async () => {
  const [one, other] = [workspace.path("zeros.gz"), workspace.path("ones.gz")];
  await writeLayer(new FileTree().addFile("a", bytesContent(Buffer.alloc(3_000_000)), { mtime }), one);
  await writeLayer(new FileTree().addFile("a", bytesContent(Buffer.alloc(3_000_000, 1)), { mtime }), other);
  await expect(compareFiles(one, other, { spoolDir: workspace.path("refused") })).rejects.toMatchObject({
    code: "bomb",
  });
  const limits = { maxBytes: 10_000_000, maxRatio: Number.POSITIVE_INFINITY };
  expect(await compareFiles(one, other, { spoolDir: workspace.path("allowed"), limits })).not.toEqual([]);
});
