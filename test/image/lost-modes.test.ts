/** The note on modes that an image does not get. */
import { describe, expect, it } from "vitest";
import { bytesContent, FileTree } from "../../src/formats/index.ts";
import { describeLostModes } from "../../tasks/image/lost-modes.ts";

const mtime = 0;
const image = new FileTree()
  .addDirectory("tmp", { mtime, mode: 0o1777 })
  .addDirectory("srv", { mtime })
  .addFile("bin/su", bytesContent(""), { mtime, mode: 0o755 })
  .addFile("etc/secret", bytesContent(""), { mtime })
  .addFile("etc/shadow", bytesContent(""), { mtime, mode: 0o600 })
  .addFile("etc/sudoers", bytesContent(""), { mtime, mode: 0o440 });
const describeModes = (modes: Readonly<Record<string, number>>) =>
  describeLostModes((name) => image.get(name), new Map(Object.entries(modes)), "overlay-src");

describe("modes on disk", () => {
  it("that the image does not get are named with both modes", () => {
    expect(describeModes({ "bin/su": 0o4755, "etc/secret": 0o600, srv: 0o1777 })).toBe(
      "overlay-src: a rule sets modes, since git keeps only the executable bit; these files have others: " +
        "bin/su (4755 on disk, 0755 in the image), etc/secret (0600 on disk, 0644 in the image), " +
        "srv (1777 on disk, 0755 in the image)",
    );
  });

  it("that the image gets, or tightens by rule, are not named", () => {
    expect(describeModes({ tmp: 0o1777, "etc/shadow": 0o666, "etc/sudoers": 0o440, gone: 0o4755 })).toBe(
      undefined,
    );
  });

  it("of many files are counted behind the first ten", () => {
    const many = Array.from({ length: 13 }, (_, index) => [`file${index}`, 0o4755] as const);
    const text = describeLostModes(() => image.get("bin/su"), new Map(many), "overlay-src");
    expect(text).toContain("file9 (");
    expect(text).not.toContain("file10");
    expect(text).toMatch(/, and 3 more$/);
  });
});
