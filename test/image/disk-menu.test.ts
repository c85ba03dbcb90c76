/** The menu of a disk, made of that of an ISO. */
import { describe, expect, it } from "vitest";
import { interpretMenu, readStatements } from "../../src/formats/index.ts";
import { diskMenu } from "../../tasks/image/disk-menu.ts";

const isolinux = `default core
timeout 50
label core
  kernel /boot/vmlinuz64
  append initrd=/boot/corepure64.gz quiet cde home=sda1
label other
  kernel /boot/vmlinuz64
  append initrd=/boot/corepure64.gz text
`;

const menuOf = async () => interpretMenu(await readStatements(isolinux, async () => undefined));

describe("the menu of a disk", () => {
  it("has every code in every entry, once, and no cde", async () => {
    const text = diskMenu(await menuOf(), ["tce=UUID=1", "quiet", "text", "text"], false);
    expect(text.match(/^ {2}linux .*$/gm)).toEqual([
      "  linux /boot/vmlinuz64 quiet home=sda1 tce=UUID=1 text",
      "  linux /boot/vmlinuz64 text tce=UUID=1 quiet",
    ]);
    expect(text).toContain("set default=0\n");
  });

  it("keeps the default entry, and takes no codes when it is closed", async () => {
    const menu = await menuOf();
    const [, second] = menu.labels;
    const text = diskMenu({ ...menu, automatic: second }, [], true);
    expect(text).toContain("set default=1\n");
    expect(text).toContain('set superusers=""');
    expect(text.match(/--unrestricted/g)?.length).toBe(2);
  });
});
