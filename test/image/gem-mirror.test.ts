/** The gem mirror of an image, beside what `gem generate_index` makes of the same gems, and used by a real `gem`. */
import { copyFile, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { stageTree } from "../../src/formats/index.ts";
import { gemMirrorTree } from "../../tasks/image/gem-mirror.ts";
import { useWorkspace } from "../formats/workspace.ts";
import { type FileServer, serveDirectory } from "../support/file-server.ts";
import { usesPrograms } from "../support/programs.ts";
import { buildGems, callRuby } from "./built-gems.ts";

usesPrograms("ruby");

const workspace = useWorkspace();

const indexed = ["native-2.gem", "odd-1.0.2.gem", "plain-0.9.gem", "soon-1.0.b2.gem"];

/** Absolute paths: where the gems were built, those to serve, our mirror and RubyGems' own. */
let [built, given, ours, theirs] = ["", "", "", ""];
let server: FileServer;

const ruby = (args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<string> =>
  callRuby(workspace.path("home"), args, env);

beforeAll(async () => {
  [built, given] = [workspace.path("built"), workspace.path("given")];
  [ours, theirs] = [workspace.path("image/tmp/gem-mirror"), workspace.path("theirs")];
  for (const directory of [given, path.join(theirs, "gems"), workspace.path("home")])
    await mkdir(directory, { recursive: true });
  await buildGems(built);
  const soon = 's.name = "soon"; s.version = "1.0.b2"; s.summary = "soon"; s.author = "A"; s.licenses = []';
  await writeFile(path.join(built, "soon.gemspec"), `Gem::Specification.new do |s|\n${soon}\nend\n`);
  await callRuby(built, ["-S", "gem", "build", "--force", "soon.gemspec", "-o", "soon-1.0.b2.gem"]);
  for (const gem of indexed) {
    await copyFile(path.join(built, gem), path.join(given, gem));
    await copyFile(path.join(built, gem), path.join(theirs, "gems", gem));
  }
  await writeFile(path.join(given, "gem.list"), "odd\n");
  await copyFile(path.join(built, "plain-0.9.gem"), path.join(given, "renamed-3.gem"));
  await writeFile(path.join(given, "broken-1.gem"), "no gem");
  await ruby(["-S", "gem", "generate_index", "-d", theirs]);
  server = await serveDirectory(ours);
});

afterAll(() => server.close());

describe("the gem mirror of an image", () => {
  it("has the gems, their list and the files of the index; what it cannot read is named", async () => {
    const { tree, left } = await gemMirrorTree(given, { mtime: 7, timeOf: () => 9 });
    await stageTree(tree, workspace.path("image"));
    expect(await readdir(path.join(ours, "gems"))).toEqual(
      [...indexed, "broken-1.gem", "gem.list", "renamed-3.gem"].sort(),
    );
    for (const gem of indexed) {
      expect(
        (await readFile(path.join(ours, "gems", gem))).equals(await readFile(path.join(built, gem))),
      ).toBe(true);
    }
    expect(tree.get("tmp/gem-mirror/gems/gem.list")).toMatchObject({ mtime: 9, mode: 0o644 });
    expect([...left.keys()], JSON.stringify([...left])).toEqual(["broken-1.gem", "renamed-3.gem"]);
    expect(left.get("renamed-3.gem")).toBe("it is plain-0.9");
    const index = (root: string) => readdir(root, { recursive: true, withFileTypes: true });
    const names = (await index(theirs))
      .filter((entry) => entry.isFile() && /\.(gz|rz)$/.test(entry.name))
      .map((entry) => path.relative(theirs, path.join(entry.parentPath, entry.name)));
    expect(names).toContain("quick/Marshal.4.8/odd-1.0.2.gemspec.rz");
    for (const name of names) expect(tree.has(`tmp/gem-mirror/${name}`), name).toBe(true);
  });

  it("says of each gem what RubyGems' own index says", async () => {
    const script = `
      require "rubygems/package"; require "zlib"
      Dir.chdir(ARGV[0])
      %w[specs latest_specs prerelease_specs].each do |list|
        p Marshal.load(Zlib.gunzip(File.binread(list + ".4.8.gz")))
      end
      Dir["quick/Marshal.4.8/*.rz"].sort.each do |name|
        spec = Marshal.load(Zlib.inflate(File.binread(name)))
        spec.date = ARGV[1] if ARGV[1] && spec.name == "soon"
        puts name, spec.to_yaml, spec.summary.encoding, spec.date.utc?
      end`;
    const said = await ruby(["-e", script, ours]);
    // A gem without a day: RubyGems 3.3 takes the day of the build, newer ones take this.
    expect(said).toBe(await ruby(["-e", script, theirs, "1980-01-02"]));
    expect(said).toContain('["odd", #<Gem::Version "1.0.2">, "ruby"]');
    expect(said).toContain("UTF-8\n");
  });

  it("is a source that gem lists, and installs from with dependencies", async () => {
    const env = { GEM_HOME: workspace.path("gem home"), GEM_PATH: workspace.path("gem home") };
    const from = ["--clear-sources", "--source", server.url];
    const listed = await ruby(["-S", "gem", "list", "--remote", "--all", "--prerelease", ...from], env);
    expect(
      listed
        .trim()
        .split("\n")
        .filter((line) => line.includes("(")),
    ).toEqual(["native (2)", "odd (1.0.2)", "plain (0.9)", "soon (1.0.b2)"]);
    await ruby(["-S", "gem", "install", "--no-document", ...from, "odd"], env);
    expect(server.asked).toContain("/quick/Marshal.4.8/odd-1.0.2.gemspec.rz");
    expect(server.asked).toContain("/gems/plain-0.9.gem");
    expect(await ruby(["-e", 'require "odd"'], env)).toBe("odd with 7\n");
  });
});
