/**
 * Gems that a build lays out, beside what RubyGems makes of the same gems: `Gem::Package` renders the specification, `gem install`
 * lays out the files, and `gem` and `require` use ours.
 */
import { readdir, readFile, stat } from "node:fs/promises";
import path from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { noLimits, readGemSpecification, stageTree } from "../../src/formats/index.ts";
import { installGems } from "../../tasks/image/installed-gems.ts";
import { useWorkspace } from "../formats/workspace.ts";
import { usesPrograms } from "../support/programs.ts";
import { buildGems, callRuby, specifications } from "./built-gems.ts";

usesPrograms("ruby");

const workspace = useWorkspace();

const pure = ["odd-1.0.2", "plain-0.9"];

let directory = "";

function ruby(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<string> {
  return callRuby(directory, args, env);
}

beforeAll(async () => {
  directory = workspace.path("gems");
  await buildGems(directory);
});

/** Without the version of RubyGems, which is that of the installing one, and the empty lines around it. */
const comparable = (text: string) =>
  text.replace(/^ {2}s\.(rubygems_version|installed_by_version) = .*\n/gm, "").replace(/^\n/gm, "");

describe("the specification of an installed gem", () => {
  it.each(Object.keys(specifications))("of %s is what RubyGems writes", async (gem) => {
    const { ruby: text } = await readGemSpecification(path.join(directory, gem));
    const script = 'require "rubygems/package"; print Gem::Package.new(ARGV[0]).spec.to_ruby_for_cache';
    expect(comparable(text)).toBe(comparable(await ruby(["-e", script, gem])));
    expect(text).toMatch(/^ {2}s\.rubygems_version = "[0-9.]+"\.freeze$/m);
  });
});

describe("gems of an image", () => {
  const lay = async (version: string) =>
    await installGems(
      directory,
      { version, inPlace: true },
      {
        scratch: workspace.path(`unpacked ${version}`),
        limits: noLimits,
        mtime: 7,
        timeOf: () => 9,
      },
    );

  it("lie where RubyGems installs them, save those with native extensions", async () => {
    const { tree, left } = await lay("3.1.0");
    expect([...left]).toEqual([["native-2.gem", "it has native extensions"]]);
    const root = workspace.path("image");
    await stageTree(tree, root);
    const home = path.join(root, "usr/local/lib/ruby/gems/3.1.0");

    const theirs = workspace.path("theirs");
    const bin = workspace.path("their programs");
    const gems = pure.map((name) => `${name}.gem`);
    await ruby([
      "-S",
      "gem",
      "install",
      "--local",
      "--no-document",
      "--env-shebang",
      "-i",
      theirs,
      "-n",
      bin,
      ...gems.reverse(),
    ]);
    for (const part of ["gems", "specifications"]) {
      const names = (await readdir(path.join(theirs, part), { recursive: true })).sort();
      expect((await readdir(path.join(home, part), { recursive: true })).sort()).toEqual(names);
      for (const name of names) {
        const [one, other] = [path.join(home, part, name), path.join(theirs, part, name)];
        if (!(await stat(other)).isFile()) continue;
        expect(comparable(await readFile(one, "utf8")), name).toBe(comparable(await readFile(other, "utf8")));
        expect((await stat(one)).mode & 0o111, name).toBe((await stat(other)).mode & 0o111);
      }
    }
    const program = path.join(root, "usr/local/bin/odd");
    const text = (await readFile(path.join(bin, "odd"), "utf8")).replace(/^#!.*/, "#!/usr/bin/env ruby");
    expect(await readFile(program, "utf8")).toBe(text);

    const env = { GEM_HOME: home, GEM_PATH: home };
    expect(await ruby(["-S", "gem", "list", "--local", "odd"], env)).toContain("odd (1.0.2)");
    expect(await ruby([program], env)).toBe("odd with 7\n");
    expect(await ruby(["-e", 'require "odder"; p ODDER'], env)).toBe("1\n");
  });

  it("are left to an old Ruby, which installs them at boot", async () => {
    for (const version of ["1.8", "1.9.1"]) expect((await lay(version)).tree.size).toBe(0);
  });
});
