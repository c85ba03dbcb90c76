/** GRUB in the first sectors of a disk: what is patched, and nothing else; compared with what grub-bios-setup is known to write. */
import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { grubCore, grubMasterBoot } from "../../src/formats/index.ts";
import { usesPrograms } from "../support/programs.ts";

usesPrograms("GRUB for BIOS");

const directory = "/usr/lib/grub/i386-pc";

/** Offsets at which two buffers differ. */
function differences(one: Buffer, other: Buffer): readonly number[] {
  return [...one.keys()].filter((index) => one[index] !== other[index]);
}

describe("GRUB for BIOS", () => {
  it("gets the sector of its core, and its check of the boot drive", async () => {
    const image = await readFile(`${directory}/boot.img`);
    const first = 0x1_2345_6789;
    const code = grubMasterBoot(image, first, "boot.img");
    expect(code.length).toBe(440);
    expect(code.readBigUInt64LE(0x5c)).toBe(BigInt(first));
    expect([...code.subarray(0x66, 0x68)]).toEqual([0x90, 0x90]);
    const touched = differences(code, image.subarray(0, 440));
    expect(touched.every((at) => (at >= 0x5c && at < 0x64) || at === 0x66 || at === 0x67)).toBe(true);
  });

  it("loads the rest of its core from the next sector on, as many sectors as there are", async () => {
    const diskboot = await readFile(`${directory}/diskboot.img`);
    const core = Buffer.concat([diskboot, Buffer.alloc(3 * 512 + 1, 7)]);
    const placed = grubCore(core, 2048, 2048, "core.img");
    expect(placed.length).toBe(5 * 512);
    expect(placed.readBigUInt64LE(500)).toBe(2049n);
    expect(placed.readUInt16LE(508)).toBe(4);
    expect(placed.readUInt16LE(510)).toBe(0x820);
    expect(placed.subarray(512, core.length).equals(core.subarray(512))).toBe(true);
    expect(placed.subarray(core.length).every((byte) => byte === 0)).toBe(true);
    // The files themselves stay as they are.
    expect(core.subarray(0, 512).equals(diskboot)).toBe(true);
  });

  it.each([
    ["a boot.img that is none", () => grubMasterBoot(Buffer.alloc(512), 1, "x"), /not a boot.img/],
    ["one that is too short", () => grubMasterBoot(Buffer.alloc(100, 0xeb), 1, "x"), /not a boot.img/],
    ["a core that is none", () => grubCore(Buffer.alloc(2048), 1, 99, "x"), /not a core/],
    ["an empty core", () => grubCore(Buffer.alloc(0), 1, 99, "x"), /not a core/],
  ])("refuses %s", (_, make, message) => {
    expect(make).toThrow(message);
  });

  it("refuses a core that does not fit into its place", async () => {
    const diskboot = await readFile(`${directory}/diskboot.img`);
    const core = Buffer.concat([diskboot, Buffer.alloc(10 * 512)]);
    expect(() => grubCore(core, 1, 10, "core.img")).toThrow("has 11 sectors, but there is room for 10");
  });
});
