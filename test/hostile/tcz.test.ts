/** Extensions that are damaged, cannot be mounted, or unpack to far more than they are. */
import { mkdir, readdir, readFile, symlink, truncate, writeFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import {
  extractSquashfs,
  listSquashfs,
  packSquashfs,
  readSquashfsSuperblock,
} from "../../src/formats/index.ts";
import { mountDoubt } from "../../tasks/image/mountable.ts";
import { limitSettings } from "../../tasks/settings/limit-options.ts";
import { useWorkspace } from "../formats/workspace.ts";
import { usesPrograms } from "../support/programs.ts";
import { squashfsBytes } from "./tcz-builder.ts";

usesPrograms("mksquashfs", "unsquashfs");

const workspace = useWorkspace();
const label = "x.tcz (http://mirror/x.tcz)";

async function superblockOf(bytes: Buffer) {
  const file = workspace.path("superblock.tcz");
  await writeFile(file, bytes);
  return await readSquashfsSuperblock(file, label);
}

describe("the superblock of an extension", () => {
  test.each([
    ["gzip", "128K"],
    ["xz", "4K"],
    ["zstd", "1M"],
    ["lz4", "4K"],
    ["lzo", "4K"],
  ])("says what mksquashfs packed it with: %s, blocks of %s", async (compression, block) => {
    const directory = workspace.path("packed");
    await mkdir(directory, { recursive: true });
    await writeFile(`${directory}/file`, "text");
    const file = workspace.path(`${compression}.tcz`);
    await workspace.$`mksquashfs ${directory} ${file} -comp ${compression} -b ${block} -noappend -quiet -no-progress`;
    const superblock = await readSquashfsSuperblock(file);
    expect(superblock.compression).toBe(compression);
    const { stdout } = await workspace.$`unsquashfs -s ${file}`;
    expect(stdout).toContain(`Block size ${superblock.blockSize}\n`);
  });

  test("tells by name that the file is cut short, wherever that is", async () => {
    const whole = squashfsBytes(Buffer.alloc(5000, "content"));
    expect((await superblockOf(whole)).bytesUsed).toBe(whole.length);
    // mksquashfs fills the last 4 KiB up.
    await superblockOf(Buffer.concat([whole, Buffer.alloc(1000)]));
    for (const length of [5095, 3000, 96, 95, 40, 4, 0]) {
      await expect(superblockOf(whole.subarray(0, length)), String(length)).rejects.toMatchObject({
        code: "bad-squashfs",
        message: expect.stringMatching(/truncated/),
        where: label,
      });
    }
  });

  test.each([
    ["another version", squashfsBytes("", { version: [3, 1] }), /version 3\.1/],
    ["blocks of 2 MiB", squashfsBytes("", { blockSize: 2 * 1024 * 1024 }), /blocks have 2097152 bytes/],
    ["blocks of 1 KiB", squashfsBytes("", { blockSize: 1024 }), /blocks have 1024 bytes/],
    ["blocks of two sizes", squashfsBytes("", { blockLog: 17 }), /blocks have 4096 bytes/],
    ["no size", squashfsBytes("", { bytesUsed: 0 }), /superblock has no size/],
    ["a size beyond all files", squashfsBytes("", { bytesUsed: 2 ** 62 }), /truncated/],
    ["another beginning", Buffer.alloc(200), /not a squashfs file/],
  ])("that no kernel mounts is refused: %s", async (_what, bytes, message) => {
    await expect(superblockOf(bytes)).rejects.toMatchObject({ message: expect.stringMatching(message) });
  });
});

describe("a note on an extension's compression", () => {
  test.each([
    ["gzip", "3.0.21-tinycore", undefined],
    ["xz", "2.6.33.3-tinycore", /since 2\.6\.38, but the image's kernel is 2\.6\.33/],
    ["xz", "3.0.21-tinycore", /only kernels built with support for it/],
    ["lz4", "3.16.6-tinycore64", /since 3\.19, but/],
    ["zstd", "4.8.17-tinycore64", /since 4\.14, but/],
    ["zstd", "6.12.11-tinycore64", /only kernels built with support for it/],
    ["lzma", "6.12.11-tinycore64", /no kernel mounts/],
    ["kind 9", "6.12.11-tinycore64", /no kernel mounts/],
  ])("%s under %s", (compression, kernel, expected) => {
    const doubt = mountDoubt("x.tcz", { compression }, kernel);
    if (expected === undefined) expect(doubt).toBeUndefined();
    else expect(doubt).toMatch(expected);
  });
});

describe("unpacking an extension", () => {
  async function pack(name: string, fill: (directory: string) => Promise<unknown>): Promise<string> {
    const directory = workspace.path(`${name} root`);
    await mkdir(`${directory}/usr/local/bin`, { recursive: true });
    await fill(directory);
    await packSquashfs(workspace.$, directory, workspace.path(`${name}.tcz`), { epoch: 0 });
    return workspace.path(`${name}.tcz`);
  }

  test("is refused before anything is written where a file is far larger than the extension", async () => {
    const tcz = await pack("bomb", async (directory) => {
      await writeFile(`${directory}/usr/local/bin/lscpu`, "");
      await truncate(`${directory}/usr/local/bin/lscpu`, 64 * 1024 * 1024);
      await writeFile(`${directory}/usr/local/bin/small`, "small");
    });
    const out = workspace.path("bomb out");
    const refused = extractSquashfs(workspace.$, tcz, ["usr/local/bin/lscpu"], out);
    await expect(refused).rejects.toMatchObject({ code: "bomb", where: `${tcz}: usr/local/bin/lscpu` });
    await expect(readdir(out)).rejects.toMatchObject({ code: "ENOENT" });
    // What is not taken out is no matter.
    await extractSquashfs(workspace.$, tcz, ["usr/local/bin/small"], out);
    expect(await readFile(`${out}/usr/local/bin/small`, "utf8")).toBe("small");
  });

  test("keeps to a limit that is given, and names the option that raises it", async () => {
    const tcz = await pack("limit", (directory) =>
      writeFile(`${directory}/usr/local/bin/a`, Buffer.alloc(3000)),
    );
    const limits = { maxBytes: 2000, settings: limitSettings };
    await expect(
      extractSquashfs(workspace.$, tcz, "all", workspace.path("limit out"), { limits }),
    ).rejects.toMatchObject({
      code: "bomb",
      message: "the archive unpacks to more than 2000 bytes",
      hint: expect.stringContaining("--max-unpacked"),
    });
  });

  test("takes no file through a link, and leaves links as they are", async () => {
    const host = workspace.path("link host");
    await mkdir(host);
    const tcz = await pack("link", (directory) => symlink(host, `${directory}/usr/local/out`));
    await expect(
      extractSquashfs(workspace.$, tcz, ["usr/local/out/x"], workspace.path("link out")),
    ).rejects.toMatchObject({ code: "member-missing" });
    await extractSquashfs(workspace.$, tcz, "all", workspace.path("link out"));
    expect(await readdir(host)).toEqual([]);
    const entries = await listSquashfs(workspace.$, tcz);
    expect(entries.find(({ path }) => path === "usr/local/out")).toMatchObject({ target: host });
  });
});
