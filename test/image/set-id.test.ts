/** The set-id files of a production image's extensions, which mksquashfs packed. */
import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createShell, ProcessGroups, type Shell } from "../../src/host/index.ts";
import { describeSetIdFiles } from "../../tasks/image/set-id.ts";
import { usesPrograms } from "../support/programs.ts";

usesPrograms("mksquashfs", "unsquashfs");

describe("the set-id files of extensions", () => {
  let directory = "";
  let $: Shell;

  beforeAll(async () => {
    directory = await mkdtemp(path.join(tmpdir(), "razor mk set-id "));
    $ = await createShell({ cwd: directory, groups: new ProcessGroups() });
  });
  afterAll(() => rm(directory, { recursive: true, force: true }));

  /** Packs an extension with files of these modes; all are root's. */
  async function pack(name: string, files: Readonly<Record<string, number>>): Promise<void> {
    const root = path.join(directory, `${name} root`);
    for (const [file, mode] of Object.entries(files)) {
      await mkdir(path.dirname(path.join(root, file)), { recursive: true });
      await writeFile(path.join(root, file), file);
      await chmod(path.join(root, file), mode);
    }
    const target = path.join(directory, "tree", name);
    await mkdir(path.dirname(target), { recursive: true });
    await $`mksquashfs ${root} ${target} -quiet -no-progress -all-root`;
  }

  it("are named with the rights that they give, wherever the extension is; a directory is none", async () => {
    await pack("sudo.tcz", { "usr/bin/sudo": 0o4755, "usr/bin/write": 0o2755, "usr/bin/both\u001b": 0o6755 });
    await mkdir(path.join(directory, "below/plain.tcz root/shared"), { recursive: true });
    await chmod(path.join(directory, "below/plain.tcz root/shared"), 0o2775);
    await pack("below/plain.tcz", { "usr/bin/plain": 0o755 });
    await pack("below/shadow.tcz", { "usr/bin/su": 0o4711 });
    expect(await describeSetIdFiles($, path.join(directory, "tree"))).toEqual([
      "shadow.tcz has set-id files: usr/bin/su (runs as root)",
      "sudo.tcz has set-id files: usr/bin/both\\x1b (runs as root, with group 0), usr/bin/sudo (runs as root), usr/bin/write (runs with group 0)",
    ]);
  });

  it("are not known of an extension that cannot be read, which is said", async () => {
    await mkdir(path.join(directory, "broken"));
    await writeFile(path.join(directory, "broken/half.tcz"), "hsqs and nothing else");
    expect(await describeSetIdFiles($, path.join(directory, "broken"))).toEqual([
      expect.stringMatching(/^half\.tcz was not searched for set-id files: cannot list the squashfs file/),
    ]);
  });
});
