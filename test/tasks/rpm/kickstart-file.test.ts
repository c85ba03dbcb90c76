/** Kickstart templates: their fields, and what the installer would refuse or misread (pykickstart's documentation). */
import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { renderKickstart } from "../../../tasks/rpm/kickstart-file.ts";

const refused = (text: string, line: number, hint: RegExp) => {
  expect(() => renderKickstart(text, { version: "1.0" }, "ks.cfg"), text).toThrow(
    expect.objectContaining({
      code: "bad-kickstart",
      where: `ks.cfg:${line}`,
      hint: expect.stringMatching(hint),
    }),
  );
};

describe("a kickstart file", () => {
  it("gets its fields, and keeps everything else", () => {
    const text =
      "text\nurl --url={{url}}\n%packages\n@core\n-less\n%end\n%post\n%{x}\necho {{version}}\n%end\n";
    expect(renderKickstart(text, { version: "1.0", url: "http://a/b" }, "ks.cfg")).toBe(
      text.replace("{{url}}", "http://a/b").replace("{{version}}", "1.0"),
    );
    expect(() => renderKickstart("text\n{{url}}", { version: "1.0" }, "ks.cfg")).toThrow(
      expect.objectContaining({ code: "kickstart-field", where: "ks.cfg:2" }),
    );
  });

  it("of new projects is in order", () => {
    const template = path.resolve(import.meta.dirname, "../../../tasks/templates/rpm/kickstart/ks.cfg");
    const fields = { version: "1.0", date: "2020-09-13" };
    expect(renderKickstart(readFileSync(template, "utf8"), fields, "ks.cfg")).toContain("# Installs 1.0");
  });

  it("is refused for a command or section that does not exist, with its line", () => {
    refused("text\nbootlaoder --location=mbr\n", 2, /bootloader/);
    refused("%packages\n@core\n%end\n%pots\nx\n%end\n", 4, /post/);
    refused("%end\n", 1, /remove/);
  });

  it("is refused for a section without its end", () => {
    refused("text\n%packages\n@core\n", 2, /%end/);
    refused("%packages\n@core\n%post\n%end\n", 3, /%end/);
  });

  it("is refused for lines that installers stopped to accept or understand otherwise", () => {
    refused("part / --fstype=ext4 --size=0 --grow\n", 1, /--size=1 --grow/);
    refused("logvol / --size 0 --grow\n", 1, /--size=1 --grow/);
    refused("zerombr\nclearpart --all\n", 2, /--initlabel/);
    refused("%pre\nset $(list-harddrives)\n%end\n", 2, /awk/);
    for (const text of [
      "part / --size=1 --grow\n",
      "part / --size=1024\n",
      "clearpart --all --initlabel\n",
      "clearpart --none\n",
      "%pre\nlist-harddrives | awk '$1 !~ /[0-9]$/'\n%end\n",
      "%post\nclearpart --all\n%end\n",
    ])
      expect(renderKickstart(text, {}, "ks.cfg")).toBe(text);
  });
});
