import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import type { BuildOptions } from "../tasks/sample/extensions.ts";
import { buildExtras } from "../tasks/sample/extras.ts";
import { buildGems, gemPackages } from "../tasks/sample/gems.ts";
import { parseGemspec } from "../tasks/sample/gemspec.ts";
import { mcollectivePackages } from "../tasks/sample/mcollective.ts";
import { type PackageText, planOf, useWorkshop } from "./sample-source-workshop.ts";

const workshop = useWorkshop();

/** A specification as Debian's packages have it: RubyGems wrote it. */
function gemspec(name: string, version: string, lines: readonly string[] = []): string {
  return `# -*- encoding: utf-8 -*-
# stub: ${name} ${version} ruby lib

Gem::Specification.new do |s|
  s.name = "${name}".freeze
  s.version = "${version}"

  s.required_rubygems_version = Gem::Requirement.new(">= 0".freeze) if s.respond_to? :required_rubygems_version=
  s.metadata = { "uri" => "http://localhost" } if s.respond_to? :metadata=
  s.require_paths = ["lib".freeze]
  s.authors = ["Jos\\u00E9".freeze, "A \\"B\\" \\#{c}".freeze]
  s.date = "2023-02-22"
  s.description = "Two\\nlines: # not a comment".freeze
  s.email = "someone@localhost".freeze
  s.summary = "- a summary".freeze
  s.rubygems_version = "3.3.15".freeze
${lines.map((line) => `  ${line}`).join("\n")}

  if s.respond_to? :specification_version then
    s.specification_version = 4
  end

  if s.respond_to? :add_runtime_dependency then
    s.add_development_dependency(%q<rake>.freeze, ["~> 12.3"])
    s.add_runtime_dependency(%q<thor>.freeze, [">= 1.0.1", "< 2.0"])
  else
    s.add_dependency(%q<rake>.freeze, ["~> 12.3"])
    s.add_dependency(%q<thor>.freeze, [">= 1.0.1", "< 2.0"])
  end
end
`;
}

const all = "usr/share/rubygems-integration/all";

function gemPackage(name: string): PackageText {
  const gem = name.replace(/^ruby-/, "");
  if (gem === "facter") {
    return {
      name,
      files: {
        [`${all}/specifications/facter-4.3.0.gemspec`]: gemspec("facter", "4.3.0", [
          's.executables = ["facter".freeze]',
          's.required_ruby_version = Gem::Requirement.new([">= 2.5".freeze, "< 4.0".freeze])',
        ]),
        "usr/bin/facter": "#!/usr/bin/ruby\n",
        "usr/lib/ruby/vendor_ruby/facter.rb": "module Facter; end\n",
      },
    };
  }
  return {
    name,
    files: {
      [`${all}/specifications/${gem}-1.2.gemspec`]: gemspec(gem, "1.2"),
      [`${all}/gems/${gem}-1.2/lib/${gem}.rb`]: "# library\n",
      ...(gem === "json" ? { [`${all}/gems/json-1.2/lib/json/pure.rb`]: "# pure\n" } : {}),
      ...(gem === "json" ? { [`${all}/gems/json-1.2/lib/json/ext.rb`]: "# compiled\n" } : {}),
    },
  };
}

/** MCollective's packages, with the files that Debian 12 has in these places. */
const mcollective: Readonly<Record<string, PackageText["files"]>> = {
  mcollective: {
    "usr/sbin/mcollectived": "#!/usr/bin/env ruby\n",
    "usr/share/mcollective/server.cfg": "connector = activemq\n",
    "lib/systemd/system/mcollective.service": "[Unit]\n",
  },
  "mcollective-client": {
    "usr/bin/mco": "#!/usr/bin/env ruby\n",
    "usr/share/mcollective-client/client.cfg": "connector = activemq\n",
  },
  "mcollective-common": {
    "etc/mcollective/facts.yaml.dist": "---\n",
    "usr/lib/ruby/vendor_ruby/mcollective.rb": "module MCollective; end\n",
    "usr/lib/ruby/vendor_ruby/mcollective/connector/rabbitmq.rb": "# connector\n",
    "usr/share/mcollective/plugins/README.md": "Plugins\n",
    "usr/share/doc/mcollective-common/copyright": "Apache\n",
  },
  "ruby-systemu": { "usr/lib/ruby/vendor_ruby/systemu.rb": "# library\n" },
};

let out = "";
let extras: BuildOptions;

beforeAll(async () => {
  out = workshop.path("sample");
  const names = [...new Set([...gemPackages, ...mcollectivePackages, "open-vm-tools", "ruby-rubygems"])];
  const downloads: Record<string, string> = {};
  for (const name of gemPackages) downloads[name] = await workshop.makePackage(gemPackage(name));
  downloads["open-vm-tools"] = await workshop.makePackage({
    name: "open-vm-tools",
    files: { "usr/bin/vmtoolsd": "program", "etc/init.d/open-vm-tools": "script" },
  });
  downloads["ruby-rubygems"] = await workshop.makePackage({
    name: "ruby-rubygems",
    files: {
      "usr/bin/gem": "#!/usr/bin/ruby\n",
      "usr/lib/ruby/vendor_ruby/rubygems.rb": "module Gem; end\n",
    },
  });
  for (const [name, files = {}] of Object.entries(mcollective))
    downloads[name] = await workshop.makePackage({ name, version: "1:2.12.5+dfsg-1.1", files });
  const plan = planOf(names);
  const packages = plan.packages.map((one) =>
    one.name === "mcollective" ? { ...one, version: "1:2.12.5+dfsg-1.1" } : one,
  );
  const options: BuildOptions = {
    $: workshop.$,
    plan: { ...plan, packages },
    downloads,
    workDir: workshop.path("work"),
    outDir: out,
    epoch: 1_700_000_000,
  };
  await buildGems(options);
  await buildExtras(options);
  extras = options;
});

async function member(gem: string, name: string): Promise<Buffer> {
  const { stdout } = await workshop.$`tar -xOf ${`${out}/gems/gems/${gem}`} ${name} | base64 -w0`;
  return Buffer.from(stdout, "base64");
}

describe("a gem specification", () => {
  it("is read without Ruby: texts, lists, requirements, and runtime dependencies only", () => {
    const gem = parseGemspec(
      gemspec("a", "1.0.pre", [
        's.required_ruby_version = Gem::Requirement.new([">= 2.5".freeze, "< 4.0".freeze])',
      ]),
      "a.gemspec",
    );
    expect(gem).toMatchObject({
      name: "a",
      version: "1.0.pre",
      authors: ["José", 'A "B" #{c}'],
      description: "Two\nlines: # not a comment",
      email: ["someone@localhost"],
      requiredRuby: [">= 2.5", "< 4.0"],
      requiredRubygems: [">= 0"],
      runtimeDependencies: [{ name: "thor", requirements: [">= 1.0.1", "< 2.0"] }],
    });
  });

  it("is read in the shorter form of newer RubyGems too", () => {
    const text = 's.name = "a"\ns.version = "1"\ns.add_runtime_dependency(%q<b>.freeze, ["~> 1".freeze])\n';
    expect(parseGemspec(text, "a").runtimeDependencies).toEqual([{ name: "b", requirements: ["~> 1"] }]);
  });

  it("is refused when it computes something, naming where", () => {
    expect(() => parseGemspec('s.name = "a"\ns.version = File.read("VERSION")\n', "a.gemspec")).toThrow(
      expect.objectContaining({ code: "gemspec", where: "a.gemspec" }),
    );
    expect(() => parseGemspec('s.name = "../a"\ns.version = "1"\n', "a.gemspec")).toThrow(
      expect.objectContaining({ code: "gemspec" }),
    );
  });
});

describe("the gems", () => {
  it("are tars of metadata, data and checksums, and the checksums are right", async () => {
    const gem = "facter-4.3.0.gem";
    const { stdout } = await workshop.$`tar -tvf ${`${out}/gems/gems/${gem}`}`;
    expect(stdout.trim().split("\n")).toHaveLength(3);
    const { stdout: text } =
      await workshop.$`tar -xOf ${`${out}/gems/gems/${gem}`} checksums.yaml.gz | gunzip`;
    const checksums = parse(text) as Record<string, Record<string, string>>;
    for (const name of ["metadata.gz", "data.tar.gz"]) {
      const digest = createHash("sha512")
        .update(await member(gem, name))
        .digest("hex");
      expect(checksums.SHA512?.[name]).toBe(digest);
    }
  });

  it("hold programs in bin and the library in lib, whichever way the package is laid out", async () => {
    const list = async (gem: string): Promise<string> =>
      (await workshop.$`tar -xOf ${`${out}/gems/gems/${gem}`} data.tar.gz | tar -tvzf -`).stdout;
    const facter = await list("facter-4.3.0.gem");
    expect(facter).toMatch(/^-rwxr-xr-x .* bin\/facter$/m);
    expect(facter).toMatch(/^-rw-r--r-- .* lib\/facter\.rb$/m);
    expect(await list("stomp-1.2.gem")).toMatch(/ lib\/stomp\.rb$/m);
  });

  it("say in their metadata what the specification said", async () => {
    const { stdout } = await workshop.$`tar -xOf ${`${out}/gems/gems/facter-4.3.0.gem`} metadata.gz | gunzip`;
    const metadata = parse(stdout, { logLevel: "silent" }) as Record<string, unknown>;
    expect(metadata).toMatchObject({
      name: "facter",
      authors: ["José", 'A "B" #{c}'],
      description: "Two\nlines: # not a comment",
      summary: "- a summary",
      executables: ["facter"],
      files: ["bin/facter", "lib/facter.rb"],
      extensions: [],
      dependencies: [{ name: "thor", type: ":runtime" }],
    });
  });

  it("are in the compact index with their dependencies and the right sha256", async () => {
    const info = await readFile(`${out}/gems/info/facter`, "utf8");
    const bytes = await readFile(`${out}/gems/gems/facter-4.3.0.gem`);
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    expect(info).toBe(`---\n4.3.0 thor:< 2.0&>= 1.0.1|checksum:${sha256},ruby:< 4.0&>= 2.5\n`);
    const md5 = createHash("md5").update(info).digest("hex");
    expect(await readFile(`${out}/gems/versions`, "utf8")).toContain(`\nfacter 4.3.0 ${md5}\n`);
    expect(await readFile(`${out}/gems/names`, "utf8")).toBe(
      "---\ndaemons\nfacter\nhocon\njson_pure\nstomp\nthor\n",
    );
  });

  it("offer json without what would need a compiler", async () => {
    const gem = `${out}/gems/gems/json_pure-1.2.gem`;
    const { stdout } = await workshop.$`tar -xOf ${gem} data.tar.gz | tar -tzf -`;
    expect(stdout).toBe("lib/json.rb\nlib/json/pure.rb\n");
  });
});

describe("the extras", () => {
  const list = async (name: string): Promise<readonly string[]> =>
    (await workshop.$`tar -tzf ${`${out}/extras/${name}`}`).stdout.split("\n");

  it("are tarballs of RubyGems, MCollective and the open-vm-tools", async () => {
    expect((await readdir(`${out}/extras`)).sort()).toEqual([
      "mcollective-2.12.5.tgz",
      "mk-open-vm-tools.tar.gz",
      "rubygems-1.0.tgz",
    ]);
    expect(await list("rubygems-1.0.tgz")).toEqual(
      expect.arrayContaining([
        "rubygems-1.0/setup.rb",
        "rubygems-1.0/lib/rubygems.rb",
        "rubygems-1.0/bin/gem",
      ]),
    );
    const tools = await list("mk-open-vm-tools.tar.gz");
    expect(tools).toContain("usr/local/bin/vmtoolsd");
    expect(tools).not.toContain("etc/init.d/open-vm-tools");
  });

  it("have MCollective laid out as its releases are, with the libraries that it needs", async () => {
    const { stdout } = await workshop.$`tar --numeric-owner -tvzf ${`${out}/extras/mcollective-2.12.5.tgz`}`;
    const modes = stdout
      .trim()
      .split("\n")
      .filter((line) => line.startsWith("-"))
      .map((line) => line.replace(/^(\S+) (\S+) .* mcollective-2\.12\.5\//, "$1 $2 "));
    expect(modes.sort()).toEqual(
      [
        "-rw-r--r-- 0/0 README",
        "-rw-r--r-- 0/0 etc/client.cfg.dist",
        "-rw-r--r-- 0/0 etc/facts.yaml.dist",
        "-rw-r--r-- 0/0 etc/server.cfg.dist",
        "-rw-r--r-- 0/0 lib/mcollective.rb",
        "-rw-r--r-- 0/0 lib/mcollective/connector/rabbitmq.rb",
        "-rw-r--r-- 0/0 lib/stomp.rb",
        "-rw-r--r-- 0/0 lib/systemu.rb",
        "-rw-r--r-- 0/0 plugins/README.md",
        "-rwxr-xr-x 0/0 bin/mco",
        "-rwxr-xr-x 0/0 bin/mcollectived",
      ].sort(),
    );
  });

  it("are two where the distribution has no MCollective, and the log says so", async () => {
    const { plan } = extras;
    const packages = plan.packages.filter(({ name }) => name !== "mcollective");
    const lines: string[] = [];
    const outDir = workshop.path("without");
    const log = (line: string) => void lines.push(line);
    await buildExtras({ ...extras, plan: { ...plan, packages }, outDir, log });
    expect((await readdir(`${outDir}/extras`)).sort()).toEqual([
      "mk-open-vm-tools.tar.gz",
      "rubygems-1.0.tgz",
    ]);
    expect(lines).toContain("no MCollective: the distribution has no package mcollective");
  });
});
