/**
 * The specifications of installed gems that Debian's packages carry, read without Ruby.
 * It knows only the form that RubyGems' `Specification#to_ruby` writes: one statement a line, literals only.
 */
import { UserError } from "../../src/errors/index.ts";

interface GemDependency {
  readonly name: string;
  /** `>= 1.0.1`, `< 2.0`, … */
  readonly requirements: readonly string[];
}

export interface GemSpecification {
  readonly name: string;
  readonly version: string;
  readonly authors: readonly string[];
  /** `YYYY-MM-DD` */
  readonly date: string;
  readonly description: string;
  readonly email: readonly string[];
  readonly executables: readonly string[];
  readonly homepage: string;
  readonly licenses: readonly string[];
  readonly requirePaths: readonly string[];
  readonly requiredRuby: readonly string[];
  readonly requiredRubygems: readonly string[];
  readonly rubygemsVersion: string;
  readonly summary: string;
  readonly runtimeDependencies: readonly GemDependency[];
}

type Literal = string | readonly Literal[];

/**
 * Reads a `.gemspec` file's text; `where` names it in errors.
 * Throws `UserError` `gemspec` for a statement that is needed and is not in the form described above.
 */
export function parseGemspec(text: string, where: string): GemSpecification {
  const values = new Map<string, Literal>();
  const runtimeDependencies: GemDependency[] = [];
  let oldRubygems = false;
  for (const line of text.split("\n").map((raw) => raw.trim())) {
    // After `else` stands what RubyGems before 1.2 would read: every dependency once more, of all kinds alike.
    if (line === "else") oldRubygems = true;
    if (line === "end") oldRubygems = false;
    const dependency = /^s\.add_(?:runtime_)?dependency\((.*)\)$/.exec(line)?.[1];
    if (dependency !== undefined && !oldRubygems) {
      const [name, requirements] = asList(parseLiteral(`[${dependency}]`, where));
      runtimeDependencies.push({ name: asText(name), requirements: asList(requirements).map(asText) });
    }
    const assignment = /^s\.([a-z_]+) = (.*?)(?: if s\.respond_to\? :[a-z_]+=?)?$/.exec(line);
    if (assignment?.[1] === undefined || assignment[2] === undefined) continue;
    if (!read.has(assignment[1])) continue;
    values.set(assignment[1], parseLiteral(assignment[2], where));
  }

  const text1 = (key: string, fallback = ""): string => asText(values.get(key) ?? fallback);
  const list = (key: string, fallback: readonly string[] = []): readonly string[] =>
    asList(values.get(key) ?? fallback)
      .flatMap(asList)
      .map(asText);
  const name = text1("name");
  const version = text1("version");
  if (!/^[A-Za-z0-9._-]+$/.test(name) || !/^[0-9][A-Za-z0-9.]*$/.test(version)) {
    throw malformed(`${name || "no name"} ${version || "no version"}`, where);
  }
  return {
    name,
    version,
    authors: list("authors"),
    date: text1("date").slice(0, 10),
    description: text1("description"),
    email: list("email"),
    executables: list("executables"),
    homepage: text1("homepage"),
    licenses: list("licenses"),
    requirePaths: list("require_paths", ["lib"]),
    requiredRuby: list("required_ruby_version", [">= 0"]),
    requiredRubygems: list("required_rubygems_version", [">= 0"]),
    rubygemsVersion: text1("rubygems_version", "3.0.0"),
    summary: text1("summary"),
    runtimeDependencies,
  };
}

/** Statements that are read; the others say how the gem was built or where it is installed. */
const read: ReadonlySet<string> = new Set([
  ...["name", "version", "authors", "date", "description", "email", "executables", "homepage", "licenses"],
  ...["require_paths", "required_ruby_version", "required_rubygems_version", "rubygems_version", "summary"],
]);

/** A Ruby literal: a string, a list of literals, or `Gem::Requirement.new(…)`, which is read as a list. */
function parseLiteral(source: string, where: string): Literal {
  let at = 0;
  function skipBlanks(): void {
    while (source[at] === " ") at++;
  }
  function parseItems(close: string): readonly Literal[] {
    const items: Literal[] = [];
    for (skipBlanks(); source[at] !== close; skipBlanks()) {
      items.push(parseValue());
      skipBlanks();
      if (source[at] === ",") at++;
      else if (source[at] !== close) throw malformed(source, where);
    }
    at++;
    return items;
  }
  function parseValue(): Literal {
    const rest = source.slice(at);
    const opened = /^(?:Gem::Requirement\.new\(|\[)/.exec(rest)?.[0];
    const string = /^"((?:[^"\\]|\\.)*)"(?:\.freeze)?|^%q<([^>]*)>(?:\.freeze)?/.exec(rest);
    if (opened !== undefined) {
      at += opened.length;
      return parseItems(opened === "[" ? "]" : ")");
    }
    if (string === null) throw malformed(source, where);
    at += string[0].length;
    return string[2] ?? unescapeRuby(string[1] ?? "");
  }
  const value = parseValue();
  skipBlanks();
  if (at !== source.length) throw malformed(source, where);
  return value;
}

/** The escapes that Ruby's `String#dump` writes. */
function unescapeRuby(text: string): string {
  const named: Readonly<Record<string, string>> = {
    n: "\n",
    t: "\t",
    r: "\r",
    e: "\u001b",
    s: " ",
    "0": "\0",
  };
  return text.replace(
    /\\(?:u\{([0-9A-Fa-f]+)\}|u([0-9A-Fa-f]{4})|x([0-9A-Fa-f]{2})|(.))/g,
    (_all, braced?: string, short?: string, byte?: string, other?: string) => {
      const hex = braced ?? short ?? byte;
      return hex === undefined
        ? (named[other ?? ""] ?? other ?? "")
        : String.fromCodePoint(Number.parseInt(hex, 16));
    },
  );
}

function asText(value: Literal | undefined): string {
  return typeof value === "string" ? value : "";
}

/** RubyGems writes a list of one as the thing itself. */
function asList(value: Literal | undefined): readonly Literal[] {
  if (value === undefined) return [];
  return typeof value === "string" ? [value] : value;
}

function malformed(source: string, where: string): UserError {
  return new UserError(`cannot read a gem's specification: ${JSON.stringify(source.slice(0, 80))}`, {
    code: "gemspec",
    where,
    hint: "report the package: its version is newer than the supported ones",
  });
}
