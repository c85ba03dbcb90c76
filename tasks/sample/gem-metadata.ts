/** A gem's metadata as RubyGems keeps it inside a `.gem` file, and its lines in the compact index. */
import { createHash } from "node:crypto";
import type { GemSpecification } from "./gemspec.ts";

/** A gem that was packed. */
export interface PackedGem {
  readonly specification: GemSpecification;
  /** Lower-case hex, of the `.gem` file. */
  readonly sha256: string;
  /** Bytes. */
  readonly size: number;
}

/**
 * The YAML of `metadata.gz`: the dump of a `Gem::Specification` (RubyGems, `Gem::Specification#to_yaml`), in which
 * every text is written as a double-quoted scalar. `files` are the paths inside `data.tar.gz`.
 */
export function formatGemMetadata(gem: GemSpecification, files: readonly string[]): string {
  return [
    "--- !ruby/object:Gem::Specification",
    `name: ${quote(gem.name)}`,
    "version: !ruby/object:Gem::Version",
    `  version: ${quote(gem.version)}`,
    "platform: ruby",
    ...formatList("authors", gem.authors),
    "autorequire:",
    "bindir: bin",
    "cert_chain: []",
    `date: ${gem.date} 00:00:00.000000000 Z`,
    ...(gem.runtimeDependencies.length === 0 ? ["dependencies: []"] : ["dependencies:"]),
    ...gem.runtimeDependencies.flatMap((dependency) => [
      "- !ruby/object:Gem::Dependency",
      `  name: ${quote(dependency.name)}`,
      ...formatRequirement("requirement", dependency.requirements, "  "),
      "  type: :runtime",
      "  prerelease: false",
      ...formatRequirement("version_requirements", dependency.requirements, "  "),
    ]),
    `description: ${quote(gem.description)}`,
    ...formatList("email", gem.email),
    ...formatList("executables", gem.executables),
    "extensions: []",
    "extra_rdoc_files: []",
    ...formatList("files", files),
    `homepage: ${quote(gem.homepage)}`,
    ...formatList("licenses", gem.licenses),
    "metadata: {}",
    "post_install_message:",
    "rdoc_options: []",
    ...formatList("require_paths", gem.requirePaths),
    ...formatRequirement("required_ruby_version", gem.requiredRuby, ""),
    ...formatRequirement("required_rubygems_version", gem.requiredRubygems, ""),
    "requirements: []",
    `rubygems_version: ${quote(gem.rubygemsVersion)}`,
    "signing_key:",
    "specification_version: 4",
    `summary: ${quote(gem.summary)}`,
    "test_files: []",
    "",
  ].join("\n");
}

/** The YAML of `checksums.yaml.gz`: digests of the other members, by algorithm and name. */
export function formatGemChecksums(members: ReadonlyMap<string, Uint8Array>): string {
  const lines = ["---"];
  for (const algorithm of ["SHA256", "SHA512"]) {
    lines.push(`${algorithm}:`);
    for (const [name, bytes] of members) {
      lines.push(`  ${name}: ${createHash(algorithm.toLowerCase()).update(bytes).digest("hex")}`);
    }
  }
  return `${lines.join("\n")}\n`;
}

/**
 * The compact index of a gem server (RubyGems guides, "Compact index API"): path → text of `info/NAME`, `versions`
 * and `names`. Every gem is offered in one version. `epoch` is the index's time, in seconds since 1970.
 */
export function formatGemIndex(gems: readonly PackedGem[], epoch: number): ReadonlyMap<string, string> {
  const sorted = [...gems].sort((a, b) => (a.specification.name < b.specification.name ? -1 : 1));
  const texts = new Map<string, string>();
  const versions = [`created_at: ${new Date(epoch * 1000).toISOString().replace(".000Z", "Z")}`, "---"];
  for (const gem of sorted) {
    const { name, version } = gem.specification;
    const info = `---\n${formatInfoLine(gem)}\n`;
    texts.set(`info/${name}`, info);
    versions.push(`${name} ${version} ${createHash("md5").update(info).digest("hex")}`);
  }
  texts.set("versions", `${versions.join("\n")}\n`);
  texts.set("names", `---\n${sorted.map((gem) => `${gem.specification.name}\n`).join("")}`);
  return texts;
}

/** `VERSION dependency:requirement&requirement,…|checksum:SHA256,ruby:…,rubygems:…` */
function formatInfoLine({ specification, sha256 }: PackedGem): string {
  const dependencies = specification.runtimeDependencies
    .map(({ name, requirements }) => `${name}:${formatRequirements(requirements)}`)
    .sort()
    .join(",");
  const facts = [`checksum:${sha256}`];
  if (!isAnything(specification.requiredRuby))
    facts.push(`ruby:${formatRequirements(specification.requiredRuby)}`);
  if (!isAnything(specification.requiredRubygems)) {
    facts.push(`rubygems:${formatRequirements(specification.requiredRubygems)}`);
  }
  return `${specification.version} ${dependencies}|${facts.join(",")}`;
}

function formatRequirements(requirements: readonly string[]): string {
  return [...requirements].sort().join("&");
}

function isAnything(requirements: readonly string[]): boolean {
  return requirements.every((requirement) => requirement === ">= 0");
}

function formatRequirement(key: string, requirements: readonly string[], indent: string): readonly string[] {
  return [
    `${indent}${key}: !ruby/object:Gem::Requirement`,
    `${indent}  requirements:`,
    ...requirements.flatMap((requirement) => {
      const [, operator = "=", version = requirement] = /^\s*([<>=!~]+)?\s*(\S+)$/.exec(requirement) ?? [];
      return [
        `${indent}  - - ${quote(operator)}`,
        `${indent}    - !ruby/object:Gem::Version`,
        `${indent}      version: ${quote(version)}`,
      ];
    }),
  ];
}

function formatList(key: string, items: readonly string[]): readonly string[] {
  return items.length === 0 ? [`${key}: []`] : [`${key}:`, ...items.map((item) => `- ${quote(item)}`)];
}

/** A JSON string is a YAML double-quoted scalar. */
function quote(text: string): string {
  return JSON.stringify(text);
}
