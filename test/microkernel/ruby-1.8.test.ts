/** The Ruby of the image runs under Ruby 1.8.7, which Tiny Core 4 has, as well as under the newest. */
import { spawnSync } from "node:child_process";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, it } from "vitest";
import { usesPrograms } from "../support/programs.ts";

usesPrograms("ruby", "ruby-parse");

const overlay = path.join(import.meta.dirname, "../../overlay-src");

function refusals(files: readonly string[]): readonly string[] {
  const program = path.join(import.meta.dirname, "ruby_1_8.rb");
  const { status, stdout, stderr } = spawnSync("ruby", [program, ...files], { encoding: "utf8" });
  if (status !== 0) throw new Error(stderr);
  return stdout.split("\n").filter((line) => line !== "");
}

it("parses as Ruby 1.8, and calls no method of later versions", async () => {
  const names = await readdir(overlay, { recursive: true });
  const files = names.filter((name) => name.endsWith(".rb")).map((name) => path.join(overlay, name));
  expect(files.length).toBeGreaterThan(20);
  expect(refusals(files)).toEqual([]);
});

it("would be refused otherwise, with the line", async () => {
  const directory = await mkdtemp(path.join(tmpdir(), "razor mk 1.8 "));
  try {
    const refusal = async (text: string) => {
      const file = path.join(directory, "x.rb");
      await writeFile(file, `\n${text}\n`);
      return refusals([file]).map((line) => line.replace(`${file}:`, ""));
    };
    for (const syntax of ["a = {b: 1}", "f = -> { 1 }", "a&.b", "def m(a:); end"]) {
      expect(await refusal(syntax)).toEqual([expect.stringMatching(/^2: /)]);
    }
    expect(await refusal("[1].each_with_object([])")).toEqual([
      expect.stringMatching(/^2: each_with_object is not/),
    ]);
    expect(await refusal("File.exists?('x')")).toHaveLength(1);
    expect(await refusal("begin; x; rescue Exception; end")).toEqual(["2: rescue Exception"]);
    expect(await refusal("begin; x; rescue StandardError => e; y; end")).toEqual([]);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
});
