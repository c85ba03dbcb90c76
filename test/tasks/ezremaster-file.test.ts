/** The grammar of ezremaster.cfg. */
import { describe, expect, it } from "vitest";
import { isRemasterConfig, parseRemasterConfig } from "../../tasks/settings/ezremaster-file.ts";

const parse = (text: string) => parseRemasterConfig(text, "my.cfg");

describe("an ezremaster.cfg", () => {
  it("has settings between lines of prose, in any language, with any line ends and no final newline", () => {
    const found = parse(
      "\uFEFF用CorePure64作模板 = 好\r\ncd_location = /mnt/sda1/Core 11.iso\r\ncc = vga=791 lang=zh_CN\r\nnote to self\r\ncc = home=sda1\r\napp_extract_initrd = openssh.tcz\r\ncopy2fs.flg",
    );
    expect(found).toMatchObject({
      cdLocation: { value: "/mnt/sda1/Core 11.iso", where: "my.cfg:2" },
      bootCodes: ["vga=791", "lang=zh_CN", "home=sda1"],
      copyToFileSystem: true,
      notes: [],
    });
    expect(found.extensions.extracted).toEqual([{ value: "openssh.tcz", where: "my.cfg:6" }]);
  });

  it("puts each extension into the place of its key, in order", () => {
    const keys = {
      app_outside_initrd_onboot: "cdeOnboot",
      app_outside_initrd_ondemand: "cdeOndemand",
      app_outside_initrd: "cdeOndemand",
      app_inside_initrd_onboot: "builtinOnboot",
      app_inside_initrd_ondemand: "builtinOndemand",
      app_extract_initrd: "extracted",
    } as const;
    for (const [key, place] of Object.entries(keys)) {
      const { extensions } = parse(`${key} = b.tcz\n${key} = a.tcz\n`);
      expect(extensions[place].map(({ value }) => value)).toEqual(["b.tcz", "a.tcz"]);
      expect(Object.values(extensions).flat()).toHaveLength(2);
    }
  });

  it("keeps boot codes with quotes, bars and ampersands as they are", () => {
    expect(parse(`cc = a=b|c d=e&f g="h'i"\n`).bootCodes).toEqual(["a=b|c", "d=e&f", `g="h'i"`]);
  });

  it.each(["cd_location", "temp_dir", "extract_tcz_script", "mydata"])("refuses a second %s", (key) => {
    expect(() => parse(`${key} = /a\n\n${key} = /b\n`)).toThrow(
      expect.objectContaining({
        code: "remaster-config",
        where: "my.cfg:3",
        message: `"${key}" is set twice: also at my.cfg:1`,
      }),
    );
  });

  it("reports keys that it does not know, and lines that are nearly settings", () => {
    const { notes, bootCodes } = parse(
      "frob = 1\n cc = a\ncc\t=\tb\ncc=c\nthe cd_location = x in prose\ntemp_dir = /t\n",
    );
    expect(bootCodes).toEqual([]);
    expect(notes).toEqual([
      'my.cfg:1: unknown key "frob"; the line has no effect',
      'my.cfg:2: the line has no effect: write "cc = VALUE" from the first column on',
      'my.cfg:3: the line has no effect: write "cc = VALUE" from the first column on',
      'my.cfg:4: the line has no effect: write "cc = VALUE" from the first column on',
      "my.cfg:6: temp_dir is not used: intermediate results are in the cache",
    ]);
  });

  it("refuses a key without a value", () => {
    expect(() => parse("cc = \n")).toThrow('"cc" has no value');
  });

  it("is recognised by one setting, and not in a file of KEY=value lines", () => {
    expect(isRemasterConfig("prose\r\ncc = quiet")).toBe(true);
    expect(isRemasterConfig("copy2fs.flg\n")).toBe(true);
    expect(isRemasterConfig("MK_BUNDLE_SOURCE=sample\n# cc = x\n")).toBe(false);
  });
});
