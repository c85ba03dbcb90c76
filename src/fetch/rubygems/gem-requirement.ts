/**
 * Requirements on gems (`>= 1.7.7`, `~> 1.2`) and which versions satisfy them. The operators are those of RubyGems'
 * `Gem::Requirement` documentation.
 */
import { bump, compareGemVersions, type GemVersion, parseGemVersion, releaseOf } from "./gem-version.ts";

type Operator = "=" | "!=" | ">" | "<" | ">=" | "<=" | "~>";

interface Bound {
  readonly operator: Operator;
  readonly version: GemVersion;
}

/** All bounds must hold; none at all means any version. */
export interface GemRequirement {
  readonly bounds: readonly Bound[];
  /** A prerelease is asked for, so prereleases may be chosen. */
  readonly prerelease: boolean;
}

const boundPattern = /^\s*(=|!=|>=|<=|~>|>|<)?\s*([0-9A-Za-z.-]+)\s*/;

/**
 * Reads bounds separated by commas, `&` or blanks; a version alone means exactly that one. Undefined when the
 * text is not a requirement. An empty text is any version.
 */
export function parseGemRequirement(text: string): GemRequirement | undefined {
  const bounds: Bound[] = [];
  let rest = text.trim();
  while (rest !== "") {
    const match = boundPattern.exec(rest);
    const version = parseGemVersion(match?.[2] ?? "");
    if (match === null || version === undefined) return undefined;
    bounds.push({ operator: (match[1] ?? "=") as Operator, version });
    const behind = rest.slice(match[0].length);
    rest = behind.replace(/^[,&]\s*/, "");
    if (rest === "" && behind !== "") return undefined;
  }
  return { bounds, prerelease: bounds.some((bound) => bound.version.prerelease) };
}

export function satisfies(version: GemVersion, requirement: GemRequirement): boolean {
  return requirement.bounds.every((bound) => holds(version, bound));
}

function holds(version: GemVersion, { operator, version: wanted }: Bound): boolean {
  const order = compareGemVersions(version, wanted);
  switch (operator) {
    case "=":
      return order === 0;
    case "!=":
      return order !== 0;
    case ">":
      return order > 0;
    case "<":
      return order < 0;
    case ">=":
      return order >= 0;
    case "<=":
      return order <= 0;
    case "~>":
      return order >= 0 && compareGemVersions(releaseOf(version), bump(wanted)) < 0;
  }
}

/** As people write it: `>= 1.0, < 2`; `>= 0` for any version. */
export function formatGemRequirement(requirement: GemRequirement): string {
  if (requirement.bounds.length === 0) return ">= 0";
  return requirement.bounds.map(({ operator, version }) => `${operator} ${version.text}`).join(", ");
}
