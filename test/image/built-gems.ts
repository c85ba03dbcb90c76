/** Gems that `gem build` makes, and Ruby without the settings of the user who runs the tests. */
import { execFile } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";

/** Everything that a specification may hold, and what would be code if it were not quoted. */
export const specifications = {
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

const files = {
  "lib/odd.rb": 'require "plain"; puts "odd with #{PLAIN}"\n',
  "lib/plain.rb": "PLAIN = 7\n",
  "more/odder.rb": "ODDER = 1\n",
  "exe/odd": '#!/usr/bin/env ruby\nrequire "odd"\nrequire "odder"\n',
  README: "\n",
  "ext/extconf.rb": "raise\n",
};

/** What a Ruby prints, which was called in an existing directory (absolute) that is its home, too. */
export async function callRuby(
  directory: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<string> {
  const { stdout } = await promisify(execFile)("ruby", args, {
    cwd: directory,
    env: { PATH: process.env.PATH, HOME: directory, LANG: "C.UTF-8", ...env },
    maxBuffer: 64 * 1024 * 1024,
  });
  return stdout;
}

/** Builds the gems in a directory (absolute), which is made. */
export async function buildGems(directory: string): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    await mkdir(path.dirname(path.join(directory, name)), { recursive: true });
    await writeFile(path.join(directory, name), text, { mode: name === "exe/odd" ? 0o755 : 0o644 });
  }
  for (const [name, text] of Object.entries(specifications)) {
    await writeFile(path.join(directory, `${name}spec`), `Gem::Specification.new do |s|\n${text}\nend\n`);
    await callRuby(directory, ["-S", "gem", "build", "--force", `${name}spec`, "-o", name]);
  }
}
