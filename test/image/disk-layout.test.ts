/** The plan of a disk, and what sfdisk makes of its script. */
import { mkdtemp, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createShell, ProcessGroups, type Shell } from "../../src/host/index.ts";
import { planDisk, sectorsBesideData } from "../../tasks/image/disk-layout.ts";
import { type DiskFileSystem, type DiskTable, diskIds } from "../../tasks/settings/disk-ids.ts";
import { usesPrograms } from "../support/programs.ts";

usesPrograms("sfdisk");

const mebibyte = 2048;

function plan(table: DiskTable, fs: DiskFileSystem, uefi: boolean, size = 1e9) {
  return planDisk({ size, table, fs, uefi, ids: diskIds("test", table, fs) });
}

describe("the plan of a disk", () => {
  let directory = "";
  let $: Shell;
  beforeEach(async () => {
    directory = await mkdtemp(path.join(tmpdir(), "disk layout "));
    $ = await createShell({ cwd: directory, groups: new ProcessGroups() });
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));

  it.each([
    ["gpt", "ext4", true],
    ["gpt", "fat32", false],
    ["mbr", "ext2", true],
    ["mbr", "fat32", false],
  ] as const)("is what sfdisk makes of it: %s, %s, UEFI %s", async (table, fs, uefi) => {
    const made = plan(table, fs, uefi);
    const [disk, script] = [path.join(directory, "disk"), path.join(directory, "script")];
    await writeFile(script, made.script);
    await writeFile(disk, "");
    await truncate(disk, made.sectors * 512);
    await $`sfdisk --quiet ${disk} < ${script}`;
    await $`sfdisk --verify ${disk}`;
    const { stdout } = await $`sfdisk --json ${disk}`;
    const found = (
      JSON.parse(stdout) as {
        partitiontable: {
          label: string;
          id: string;
          partitions: readonly { start: number; size: number; type: string; uuid?: string }[];
        };
      }
    ).partitiontable;
    const ids = diskIds("test", table, fs);
    expect(found.label).toBe(table === "gpt" ? "gpt" : "dos");
    expect(found.id.toLowerCase()).toBe(`${table === "mbr" ? "0x" : ""}${ids.table}`);
    const wanted = [...(table === "gpt" ? [made.core] : []), ...(made.esp ? [made.esp] : []), made.data];
    expect(found.partitions.map(({ start, size }) => ({ start, sectors: size }))).toEqual(wanted);
    if (table === "gpt") expect(found.partitions.at(-1)?.uuid?.toLowerCase()).toBe(ids.partition);
  });

  it("begins every partition at a whole MiB, and leaves the end to the copy of a GPT", () => {
    const made = plan("gpt", "ext4", true, 1e9 + 12_345);
    for (const { start, sectors } of [made.core, made.data])
      expect([start % mebibyte, sectors % mebibyte]).toEqual([0, 0]);
    expect(made.sectors * 512).toBeLessThanOrEqual(1e9 + 12_345);
    expect(made.data.start + made.data.sectors + made.tail).toBe(made.sectors);
    expect(made.sectors - made.data.sectors).toBe(sectorsBesideData("gpt", true));
  });

  it("has GRUB's core in the gap before the first partition of an MBR", () => {
    const { core, data, tail } = plan("mbr", "ext4", false);
    expect(core).toEqual({ start: 1, sectors: mebibyte - 1 });
    expect([data.start, tail]).toEqual([mebibyte, 0]);
  });
});

describe("the UUIDs of a disk", () => {
  it("follow from a text, and are other ones for another text and another use", () => {
    const ids = diskIds("one", "gpt", "ext4");
    expect(diskIds("one", "gpt", "ext4")).toEqual(ids);
    const uuids = [ids.table, ids.grub, ids.esp, ids.partition, ids.data];
    expect(new Set([...uuids, diskIds("two", "gpt", "ext4").data]).size).toBe(6);
    for (const uuid of uuids)
      expect(uuid).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });

  it("are written as blkid shows them where the file system is FAT", () => {
    const { data, dataVolume, table } = diskIds("one", "mbr", "fat32");
    expect(data).toBe(`${dataVolume.slice(0, 4)}-${dataVolume.slice(4)}`);
    expect(dataVolume).toMatch(/^[0-9A-F]{8}$/);
    expect(table).toMatch(/^[0-9a-f]{8}$/);
  });
});
