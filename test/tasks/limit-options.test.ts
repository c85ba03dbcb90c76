/** Limits that a user sets, and what an image's time and version may be. */
import { describe, expect, it } from "vitest";
import { UsageError } from "../../src/errors/index.ts";
import { volumeId } from "../../tasks/image/iso-metadata.ts";
import { epoch } from "../../tasks/settings/image-options.ts";
import {
  limitSettings,
  limitsOf,
  maxEntries,
  maxUnpacked,
  parseSize,
} from "../../tasks/settings/limit-options.ts";

const host = { root: "/", note: () => {}, dependsOn: () => {} };
const none = { maxUnpacked: undefined, maxEntries: undefined, maxDepth: undefined };

describe("a limit for unpacked sizes", () => {
  it("is written as sizes are, in decimal or binary units, or in bytes", () => {
    const sizes = ["4096", "8GB", "8 gb", "1.5GiB", "500M", "2k", "7B"];
    expect(sizes.map(parseSize)).toEqual([4096, 8e9, 8e9, 1.5 * 1024 ** 3, 5e8, 2000, 7]);
    expect(["", "0", "-1", "8XB", "1e9", "9".repeat(20), "1.2345GB"].map(parseSize)).toEqual(
      Array(7).fill(undefined),
    );
  });

  it("lifts the ratio, too; without one the defaults hold", () => {
    expect(limitsOf(none)).toEqual({ settings: limitSettings });
    expect(limitsOf({ ...none, maxUnpacked: 5, maxEntries: 6 })).toEqual({
      settings: limitSettings,
      ...{ maxBytes: 5, maxRatio: Number.POSITIVE_INFINITY, maxEntries: 6 },
    });
  });

  it("that is none is wrong usage, with an example", () => {
    expect(() => maxUnpacked.parse?.("much", host)).toThrow(UsageError);
    expect(() => maxEntries.parse?.("0", host)).toThrow('--max-entries is "0", but must be a number');
  });

  it("changes no fingerprint: what is unpacked is the same", () => {
    expect([maxUnpacked.fingerprinted, maxEntries.fingerprinted]).toEqual([false, false]);
  });
});

describe("an image's time", () => {
  it("that an initrd cannot hold is refused with the last time that it can", () => {
    expect(epoch.parse?.("4294967295", host)).toBe("4294967295");
    expect(() => epoch.parse?.("4294967296", host)).toThrow(
      expect.objectContaining({ code: "epoch-invalid", hint: expect.stringContaining("4294967295") }),
    );
  });
});

describe("a version in the volume id", () => {
  it("is whole where there is room, and else cut with a note that says so", () => {
    expect(volumeId("0.9.3")).toEqual({ id: "Razor MK 0.9.3" });
    const { id, note } = volumeId("0.9.3-a-long-name-of-a-branch");
    expect(id).toBe("Razor MK 0.9.3-a-long-name-of-a-");
    expect(id).toHaveLength(32);
    expect(note).toContain(`truncated to 32 characters: "${id}"`);
  });
});
