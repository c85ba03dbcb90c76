/**
 * Initrds whose first archive is packed with xz or zstd, as some makers of Core ISOs do, with gzipped layers behind it.
 *
 * The kernel unpacks a member and goes on behind it: Linux `init/initramfs.c`, `lib/decompress_unxz.c`,
 * `lib/decompress_unzstd.c`. The writers are xz and zstd, the archives' independent writer is cpio.
 */
import { randomBytes } from "node:crypto";
import { mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { gzipSync } from "node:zlib";
import { beforeAll, describe, expect, test } from "vitest";
import { readInitrd } from "../../src/formats/index.ts";
import { usesPrograms } from "../support/programs.ts";
import { useWorkspace } from "./workspace.ts";

usesPrograms("cpio", "xz", "zstd");

const workspace = useWorkspace();

describe("an initrd with a member packed by", () => {
  beforeAll(async () => {
    await mkdir(workspace.path("root/lib"), { recursive: true });
    await writeFile(workspace.path("root/lib/random"), randomBytes(300_000));
    await writeFile(workspace.path("root/lib/zeros"), Buffer.alloc(2_000_000));
    await writeFile(workspace.path("root/lib/text"), "text\n".repeat(50_000));
    await workspace.$`cd ${workspace.path("root")} && find . | cpio -o -H newc --quiet > ../root.cpio`;
    await workspace.$`cd ${workspace.path("root/lib")} && ls text | cpio -o -H newc --quiet > ../../last.cpio`;
  });

  const packings = [
    "xz --check=crc32",
    "xz --check=none -0",
    "xz --check=sha256",
    "xz --x86 --lzma2=preset=6 --check=crc32",
    "xz --block-size=65536 -T2 --check=crc64",
    "zstd -1",
    "zstd -19 --no-check",
    "zstd -3 --long=27",
  ];

  test.each(packings)("%s is read with what follows it", async (command) => {
    const name = command.replaceAll(/\W+/g, "-");
    const file = workspace.path(name);
    await workspace.$`${command.split(" ")} -c < ${workspace.path("root.cpio")} > ${file}`;
    const { size } = await stat(file);
    const padding = Buffer.alloc(4 - (size % 4));
    const layer = gzipSync(await readFile(workspace.path("last.cpio")));
    await writeFile(file, Buffer.concat([await readFile(file), padding, layer]));

    const members = await readInitrd(file, { spoolDir: `${file}.spool` });
    expect(members.map(({ compression }) => compression)).toEqual([command.split(" ")[0], "gzip"]);
    expect(members[0]).toMatchObject({ offset: 0, size });
    expect(members[1]?.offset).toBe(size + padding.length);
    const [first, second] = members.map(({ tree }) => tree);
    for (const part of ["random", "zeros", "text"]) {
      const written = await readFile(workspace.path(`root/lib/${part}`));
      expect((await first?.read(`lib/${part}`))?.equals(written), part).toBe(true);
    }
    expect(second?.paths()).toEqual(["text"]);
  });

  test.each(["xz", "zstd"])(
    "%s is refused where it is cut off or altered, and where it is a bomb",
    async (tool) => {
      const whole = workspace.path(`whole.${tool}`);
      await workspace.$`${tool} -c < ${workspace.path("root.cpio")} > ${whole}`;
      const bytes = await readFile(whole);
      const read = async (name: string, content: Buffer, limits = {}) => {
        const file = workspace.path(`${tool}-${name}`);
        await writeFile(file, content);
        return await readInitrd(file, { spoolDir: `${file}.spool`, limits, name: "core.gz" });
      };
      await expect(read("cut", bytes.subarray(0, 200_000))).rejects.toMatchObject({
        code: "bad-member",
        where: "core.gz: offset 0",
      });
      const altered = Buffer.from(bytes);
      altered.fill(0xff, 250_000, 250_010);
      await expect(read("altered", altered)).rejects.toMatchObject({
        code: expect.stringMatching(/^(tool-failed|bad-member)$/),
      });
      await expect(read("bomb", bytes, { maxBytes: 100_000 })).rejects.toMatchObject({ code: "bomb" });
    },
  );
});
