import { describe, expect, it } from "vitest";
import { didYouMean, editDistance } from "../../src/errors/index.ts";
import { parseExtensionList, parseGemList } from "../../src/fetch/index.ts";

const names = (text: string) => parseExtensionList(text, "lists/x.lst").entries.map((entry) => entry.name);

describe("an extension list", () => {
  it("may have comments, blank lines, trailing blanks, CRLF and a BOM", () => {
    expect(names("\uFEFF# head\r\n\r\nbash.tcz  \r\n  ruby.tcz\t# the old one\r\nhello.deb")).toEqual([
      "bash.tcz",
      "ruby.tcz",
      "hello.deb",
    ]);
    expect(names("")).toEqual([]);
    expect(names("#\n \n")).toEqual([]);
  });

  it("knows on which line each name stands", () => {
    const { entries } = parseExtensionList("\r\n# c\r\nbash.tcz\r\n", "lists/b.lst");
    expect(entries).toEqual([{ name: "bash.tcz", kind: "tcz", where: "lists/b.lst:3" }]);
  });

  it("keeps the first of repeated names and notes the others", () => {
    const list = parseExtensionList("a.tcz\nb.tcz\na.tcz\n", "l");
    expect(list.entries.map((entry) => entry.name)).toEqual(["a.tcz", "b.tcz"]);
    expect(list.duplicates).toEqual([{ name: "a.tcz", kind: "tcz", where: "l:3" }]);
  });

  it("takes the names that extensions have", () => {
    const odd = ["gtk+3.tcz", "libssl-0.9.8.tcz", "scsi-3.0.21-tinycore.tcz", "alsa-KERNEL.tcz", "Xlibs.tcz"];
    expect(names(odd.join("\n"))).toEqual(odd);
  });

  it("refuses names that could leave their directory or are not names at all, with file and line", () => {
    for (const bad of [
      "../x.tcz",
      "/etc/x.tcz",
      "a/b.tcz",
      "a\\b.tcz",
      "..tcz",
      "a..b.tcz",
      "a\0b.tcz",
      "a\x1b[31m.tcz",
      ".hidden.tcz",
      "-rf.tcz",
      "bash",
      "bash.tcz.md5.txt",
      "bash.tcz ruby.tcz",
      "a`b.tcz",
      "a$b.tcz",
      `${"x".repeat(300)}.tcz`,
    ]) {
      expect(() => parseExtensionList(`ok.tcz\n${bad}\n`, "lists/x.lst"), bad).toThrow(
        expect.objectContaining({ code: "bad-extension-name", where: "lists/x.lst:2" }),
      );
    }
  });

  it("may have 100,000 lines", () => {
    const many = Array.from({ length: 100_000 }, (_, i) => `ext${i}.tcz`).join("\n");
    expect(names(many).length).toBe(100_000);
  });
});

describe("a gem list", () => {
  it("has names with or without requirements", () => {
    const requests = parseGemList(
      "daemons\njson_pure >= 1.7.7 # c\nstomp ~> 1.2, != 1.2.3\nfacter 1.6.10\n",
      "g",
    );
    expect(requests.map(({ name, requirement, where }) => [name, requirement.bounds.length, where])).toEqual([
      ["daemons", 0, "g:1"],
      ["json_pure", 1, "g:2"],
      ["stomp", 2, "g:3"],
      ["facter", 1, "g:4"],
    ]);
  });

  it("refuses what is neither, with file and line", () => {
    for (const bad of ["../x", "a/b", "x >= ", "x => 1", "x 1,", "x ~> a", "--version", "a..b"]) {
      expect(() => parseGemList(`ok\n${bad}\n`, "gem.list"), bad).toThrow(
        expect.objectContaining({ where: "gem.list:2" }),
      );
    }
  });
});

describe("a suggestion", () => {
  it("is what differs by few letters, nearest first", () => {
    const known = ["bash.tcz", "bash-completion.tcz", "dash.tcz", "openssh.tcz", "ruby.tcz"];
    expect(didYouMean("bahs.tcz", known)).toBe("did you mean bash.tcz?");
    expect(didYouMean("opensssh.tcz", known)).toBe("did you mean openssh.tcz?");
    expect(didYouMean("zzz.tcz", known)).toBeUndefined();
    expect(editDistance("kitten", "sitting", 5)).toBe(3);
    expect(editDistance("kitten", "sitting", 2)).toBe(3);
  });
});
