/**
 * The text by which RubyGems knows an installed gem: `specifications/FULLNAME.gemspec`.
 *
 * Format: RubyGems 3.3, `Gem::Specification#to_ruby_for_cache`; every RubyGems since 1.8 evaluates it.
 */
import type { GemIdentity } from "./gem.ts";
import { type Attributes, anyVersion } from "./gem-attributes.ts";
import { dump, hash, list, literal } from "./ruby-literals.ts";

/** What the text says of a gem beside its attributes. */
export interface DescribedGem extends GemIdentity {
  /** Directories of the gem that are searched for libraries. */
  readonly requirePaths: readonly string[];
  /** Directory of its programs, and their names. */
  readonly bindir: string;
  readonly executables: readonly string[];
  /** Files that build native extensions; empty for a gem without any. */
  readonly extensions: readonly string[];
}

/** The text for a gem that is described and has these attributes. Throws an error in words. */
export function renderSpecification(
  { name, version, platform, requirePaths, bindir, executables, extensions }: DescribedGem,
  given: Attributes,
): string {
  const stub = "# stub: ";
  const documents = given.paths("extra_rdoc_files");
  const programs = executables.map((one) => `${bindir}/${one}`);
  const metadata = given.words("metadata");
  const format = given.number("specification_version") ?? "4";
  const ruby = given.requirement("required_ruby_version");
  const lines = [
    "# -*- encoding: utf-8 -*-",
    `${stub}${name} ${version} ${platform} ${requirePaths.join("\0")}`,
    ...(extensions.length === 0 ? [] : [`${stub}${extensions.join("\0")}`]),
    "",
    "Gem::Specification.new do |s|",
    `  s.name = ${literal(name)}`,
    `  s.version = ${dump(version)}`,
    ...(platform === "ruby" ? [] : [`  s.platform = ${literal(platform)}`]),
    "",
    `  s.required_rubygems_version = ${requirement(given.requirement("required_rubygems_version"))} if s.respond_to? :required_rubygems_version=`,
    ...(metadata.length === 0 ? [] : [`  s.metadata = ${hash(metadata)} if s.respond_to? :metadata=`]),
    `  s.require_paths = ${list(requirePaths)}`,
    ...listLine("authors", given.texts("authors")),
    ...textLine("autorequire", given.text("autorequire")),
    ...(bindir === "bin" ? [] : textLine("bindir", bindir)),
    ...listLine("cert_chain", given.texts("cert_chain")),
    `  s.date = ${dump(given.day("date"))}`,
    ...textLine("description", given.text("description")),
    ...mailLine(given.texts("email"), given),
    ...listLine("executables", executables),
    ...listLine("extensions", extensions),
    ...listLine("extra_rdoc_files", documents),
    ...listLine("files", [...new Set([...programs, ...documents, ...extensions])].sort()),
    ...textLine("homepage", given.text("homepage")),
    ...listLine("licenses", given.texts("licenses")),
    ...textLine("post_install_message", given.text("post_install_message")),
    ...listLine("rdoc_options", given.texts("rdoc_options")),
    ...(ruby.join() === anyVersion.join() ? [] : [`  s.required_ruby_version = ${requirement(ruby)}`]),
    ...listLine("requirements", given.texts("requirements")),
    ...textLine("rubygems_version", given.text("rubygems_version") ?? "0"),
    `  s.summary = ${literal(given.text("summary") ?? "")}`,
    ...dependencyLines(given, format),
    "end",
    "",
  ];
  return lines.join("\n");
}

function dependencyLines(given: Attributes, format: string): readonly string[] {
  const dependencies = given.dependencies();
  if (dependencies.length === 0) return [];
  const described = dependencies.map(({ name, type, requirement }) => {
    const bounds = `[${requirement.map(dump).join(", ")}]`;
    return { kind: type, words: `(%q<${name}>.freeze, ${bounds})` };
  });
  return [
    "",
    "  if s.respond_to? :specification_version then",
    `    s.specification_version = ${format}`,
    "  end",
    "",
    "  if s.respond_to? :add_runtime_dependency then",
    ...described.map(({ kind, words }) => `    s.add_${kind}_dependency${words}`),
    "  else",
    ...described.map(({ words }) => `    s.add_dependency${words}`),
    "  end",
  ];
}

/** An address alone is not in a list. */
function mailLine(addresses: readonly string[], given: Attributes): readonly string[] {
  return given.isText("email") ? textLine("email", addresses[0]) : listLine("email", addresses);
}

function textLine(name: string, value: string | undefined): readonly string[] {
  return value === undefined ? [] : [`  s.${name} = ${literal(value)}`];
}

function listLine(name: string, values: readonly string[]): readonly string[] {
  return values.length === 0 ? [] : [`  s.${name} = ${list(values)}`];
}

function requirement(bounds: readonly string[]): string {
  const [only = ""] = bounds;
  return `Gem::Requirement.new(${bounds.length === 1 ? literal(only) : list(bounds)})`;
}
