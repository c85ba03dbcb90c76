/** Core's own archive in an image that is to be as small as it gets. */
import { copyFile, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createShell, ProcessGroups } from "../../src/host/index.ts";
import { packCore } from "../../tasks/image/core-archive.ts";
import type { PackContext } from "../../tasks/image/members.ts";

/** Text that some encoders pack better than others, the same each time. */
const content = Buffer.from(
  Array.from({ length: 20_000 }, (_, index) => `${(index * 7919) % 1009} ${(index * 31) % 97}\n`).join(""),
);

describe("Core's archive", () => {
  let folder = "";
  let context: PackContext;

  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), "razor mk core "));
    let count = 0;
    context = {
      $: await createShell({ cwd: folder, groups: new ProcessGroups() }),
      memo: async (_key, make) => {
        const file = path.join(folder, `packed-${count++}`);
        await make(file);
        return file;
      },
      missingTools: [],
      scratch: folder,
      signal: new AbortController().signal,
    };
  });

  afterAll(() => rm(folder, { recursive: true, force: true }));

  async function core(bytes: Buffer): Promise<string> {
    const file = path.join(folder, "core.gz");
    await writeFile(file, bytes);
    return file;
  }

  it("is packed anew, with the same content, where its maker left something to gain", async () => {
    const loose = gzipSync(content, { level: 1 });
    const file = await core(Buffer.concat([loose, Buffer.alloc(512)]));
    const packed = await packCore(file, "best", context);
    const bytes = await readFile(packed ?? "");
    expect(bytes.length).toBeLessThan(loose.length * 0.99);
    expect(gunzipSync(bytes).equals(content)).toBe(true);
    // RFC 1952, 2.3: no optional field, no time; the kernel reads no other header.
    expect(bytes.subarray(0, 8).toString("hex")).toBe("1f8b080000000000");
    const again = await packCore(file, "best", context);
    expect((await readFile(again ?? "")).equals(bytes)).toBe(true);
    expect((await readFile(file)).subarray(0, loose.length).equals(loose)).toBe(true);
  });

  it("keeps its bytes, and so its checksum, where it is packed well already", async () => {
    const file = await core(gzipSync(content, { level: 1 }));
    await copyFile((await packCore(file, "best", context)) ?? "", file);
    expect(await packCore(file, "best", context)).toBeUndefined();
  });

  it("keeps its bytes where it is several archives, or a plain one", async () => {
    const member = gzipSync(content, { level: 1 });
    expect(await packCore(await core(Buffer.concat([member, member])), "best", context)).toBeUndefined();
    expect(await packCore(await core(content), "best", context)).toBeUndefined();
  });

  it.each(["fast", "default"])("keeps its bytes with --compress %s", async (effort) => {
    expect(await packCore(await core(gzipSync(content, { level: 1 })), effort, context)).toBeUndefined();
  });

  it("says which package is missing", async () => {
    const without = { ...context, missingTools: ["libdeflate-gzip"] };
    const file = await core(gzipSync(content, { level: 1 }));
    await expect(packCore(file, "best", without)).rejects.toMatchObject({
      code: "tool-missing",
      hint: expect.stringMatching(/apt-get install libdeflate-tools.*--compress default/),
    });
  });
});
