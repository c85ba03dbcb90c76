/**
 * Gems that a build lays out, beside what RubyGems makes of the same gems: `Gem::Package` renders the specification, `gem install`
 * lays out the files, and `gem` and `require` use ours.
 */
import { execFileSync } from "node:child_process";
import { mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { noLimits, readGemSpecification, stageTree } from "../../src/formats/index.ts";
import { installGems } from "../../tasks/image/installed-gems.ts";
import { useWorkspace } from "../formats/workspace.ts";
import { usesPrograms } from "../support/programs.ts";

usesPrograms("ruby");

const workspace = useWorkspace();

/** Everything that a specification may hold, and what would be code if it were not quoted. */
const specifications = {
  "odd-1.0.2.gem": String.raw`
    s.name = "odd"; s.version = "1.0.2"; s.date = "2020-02-29"
    s.summary = "Gr\u00fc\u00dfe \u{1f600} \\ \" \#{exit 1} \#$0 \#"; s.description = "two\nlines\t\e[1m\x01"
    s.authors = ["A", "B"]; s.email = ["a@example.com", "b@example.com"]
    s.homepage = "http://example.com"; s.licenses = ["MIT"]; s.metadata = { "z" => "1", "a" => "\#{2}" }
    s.bindir = "exe"; s.executables = ["odd"]; s.require_paths = ["lib", "more"]
    s.extra_rdoc_files = ["README"]; s.rdoc_options = ["--main", "README"]; s.requirements = ["patience"]
    s.required_ruby_version = [">= 1.8", "< 9"]; s.post_install_message = "done"
    s.add_dependency "plain", ">= 0.1", "< 2"; s.add_development_dependency "rake"
    s.files = ["lib/odd.rb", "more/odder.rb", "exe/odd", "README"]`,
  "plain-0.9.gem": `
    s.name = "plain"; s.version = "0.9"; s.date = "2019-01-01"; s.summary = "plain"; s.author = "A"
    s.email = "one@example.com"; s.files = ["lib/plain.rb"]`,
  "native-2.gem": `
    s.name = "native"; s.version = "2"; s.date = "2019-01-01"; s.summary = "native"; s.author = "A"
    s.extensions = ["ext/extconf.rb"]; s.files = ["ext/extconf.rb"]`,
} as const;

const pure = ["odd-1.0.2", "plain-0.9"];

let directory = "";

function ruby(args: readonly string[], env: Readonly<Record<string, string>> = {}): string {
  return execFileSync("ruby", args, {
    cwd: directory,
    env: { PATH: process.env.PATH, HOME: directory, LANG: "C.UTF-8", ...env },
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
  });
}

beforeAll(async () => {
  directory = workspace.path("gems");
  const files = {
    "lib/odd.rb": 'require "plain"; puts "odd with #{PLAIN}"\n',
    "lib/plain.rb": "PLAIN = 7\n",
    "more/odder.rb": "ODDER = 1\n",
    "exe/odd": '#!/usr/bin/env ruby\nrequire "odd"\nrequire "odder"\n',
    README: "\n",
    "ext/extconf.rb": "raise\n",
  };
  for (const [name, text] of Object.entries(files)) {
    await mkdir(path.dirname(path.join(directory, name)), { recursive: true });
    await writeFile(path.join(directory, name), text, { mode: name === "exe/odd" ? 0o755 : 0o644 });
  }
  for (const [name, text] of Object.entries(specifications)) {
    await writeFile(path.join(directory, `${name}spec`), `Gem::Specification.new do |s|\n${text}\nend\n`);
    ruby(["-S", "gem", "build", "--force", `${name}spec`, "-o", name]);
  }
});

/** Without the version of RubyGems, which is that of the installing one, and the empty lines around it. */
const comparable = (text: string) =>
  text.replace(/^ {2}s\.(rubygems_version|installed_by_version) = .*\n/gm, "").replace(/^\n/gm, "");

describe("the specification of an installed gem", () => {
  it.each(Object.keys(specifications))("of %s is what RubyGems writes", async (gem) => {
    const { ruby: text } = await readGemSpecification(path.join(directory, gem));
    const script = 'require "rubygems/package"; print Gem::Package.new(ARGV[0]).spec.to_ruby_for_cache';
    expect(comparable(text)).toBe(comparable(ruby(["-e", script, gem])));
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
    ruby([
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
    expect(ruby(["-S", "gem", "list", "--local", "odd"], env)).toContain("odd (1.0.2)");
    expect(ruby([program], env)).toBe("odd with 7\n");
    expect(ruby(["-e", 'require "odder"; p ODDER'], env)).toBe("1\n");
  });

  it("are left to an old Ruby, which installs them at boot", async () => {
    for (const version of ["1.8", "1.9.1"]) expect((await lay(version)).tree.size).toBe(0);
  });
});
