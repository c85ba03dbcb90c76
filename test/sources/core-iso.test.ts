/** What a user relies on: a build says what it does not take from the Core ISO. */
import { mkdir, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { expect, it } from "vitest";
import { usesPrograms } from "../support/programs.ts";
import { useWorkshop } from "./workshop.ts";

usesPrograms("xorriso");

const shop = useWorkshop();

it("a Core ISO with extensions of its own has them named once, by the step that decides on extensions", async () => {
  const { workspace, directory } = shop;
  const own = path.join(directory, "own cde");
  await mkdir(path.join(own, "optional"), { recursive: true });
  await writeFile(path.join(own, "onboot.lst"), "wifi.tcz\n");
  await writeFile(path.join(own, "optional/wifi.tcz"), "wifi");
  const core = path.join(directory, "mirror root/4.x/x86/release/Core-current.iso");
  const plus = path.join(directory, "CorePlus.iso");
  await rm(plus, { force: true });
  await workspace.$`xorriso -indev ${core} -outdev ${plus} -map ${own} /cde`;

  const { stderr } = await workspace.build(["fetch-tcz", "--tcl-iso-url", plus]);
  expect(stderr).toMatch(
    /CorePlus\.iso .*: the image does not get cde\/; its extensions are wifi\.tcz: name those that you need in lists\/builtin-extensions\.lst\n/,
  );
  expect((await workspace.build(["fetch-tcz"])).stderr).not.toContain("the image does not get");
});
