/** Files of editors: what starts no build is what goes into no image. */
import picomatch from "picomatch";
import { describe, expect, it } from "vitest";
import { editorFiles, isEditorFile } from "../../tasks/image/editor-files.ts";

describe("a file in overlay-src", () => {
  it.each([
    [".motd.swp", true],
    ["etc/.motd.swo", true],
    ["etc/motd~", true],
    ["etc/.#motd", true],
    ["etc/#motd#", true],
    ["etc/motd", false],
    ["etc/.profile", false],
    ["root/.config.swap", false],
    ["etc/#motd", false],
    ["usr/local/bin/rz_mk_init.rb", false],
  ])("named %s is an editor's: %s", (name, editors) => {
    expect(isEditorFile(name)).toBe(editors);
    expect(picomatch.isMatch(name, [...editorFiles], { dot: true })).toBe(editors);
  });
});
