/**
 * Versions of gems and their order.
 *
 * The rules are those of RubyGems' `Gem::Version` documentation: a version is numbers and letters separated by
 * dots; one with a letter is a prerelease; a letter sorts before any number; trailing zeros do not count.
 */

export interface GemVersion {
  /** As written. */
  readonly text: string;
  readonly segments: readonly (bigint | string)[];
  readonly prerelease: boolean;
}

const versionPattern = /^[0-9]+(\.[0-9a-zA-Z]+)*(-[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?$/;

/** Reads a version; undefined when the text is not one. A `-` stands for `.pre.`. */
export function parseGemVersion(text: string): GemVersion | undefined {
  if (text.length > 100 || !versionPattern.test(text)) return undefined;
  const parts = text.replaceAll("-", ".pre.").match(/[0-9]+|[a-z]+/gi) ?? [];
  const segments = parts.map((part) => (/^[0-9]/.test(part) ? BigInt(part) : part));
  return { text, segments, prerelease: /[a-z]/i.test(text) || text.includes("-") };
}

/** Negative when `a` comes before `b`, positive when after, 0 when they are the same version. */
export function compareGemVersions(a: GemVersion, b: GemVersion): number {
  const left = canonical(a.segments);
  const right = canonical(b.segments);
  for (let i = 0; i < Math.max(left.length, right.length); i += 1) {
    const l = left[i] ?? 0n;
    const r = right[i] ?? 0n;
    if (l === r) continue;
    if (typeof l !== typeof r) return typeof l === "string" ? -1 : 1;
    return l < r ? -1 : 1;
  }
  return 0;
}

/** Without the zeros that end the numbers before the first letter, and those that end the whole. */
function canonical(segments: readonly (bigint | string)[]): readonly (bigint | string)[] {
  const letter = segments.findIndex((segment) => typeof segment === "string");
  const split = letter < 0 ? segments.length : letter;
  return [...withoutZeros(segments.slice(0, split)), ...withoutZeros(segments.slice(split))];
}

function withoutZeros(segments: readonly (bigint | string)[]): readonly (bigint | string)[] {
  const end = segments.findLastIndex((segment) => segment !== 0n);
  return segments.slice(0, end + 1);
}

function versionOf(segments: readonly (bigint | string)[]): GemVersion {
  const prerelease = segments.some((segment) => typeof segment === "string");
  return { text: segments.join("."), segments, prerelease };
}

/** The release that a prerelease leads to; a release itself. */
export function releaseOf(version: GemVersion): GemVersion {
  const letter = version.segments.findIndex((segment) => typeof segment === "string");
  return letter < 0 ? version : versionOf(version.segments.slice(0, letter));
}

/** The first version that `~>` does not allow: the last number but one raised, `2.2.1` → `2.3`, `2` → `3`. */
export function bump(version: GemVersion): GemVersion {
  const numbers = releaseOf(version).segments.filter((segment) => typeof segment === "bigint");
  const kept = numbers.length > 1 ? numbers.slice(0, -1) : numbers;
  return versionOf([...kept.slice(0, -1), (kept.at(-1) ?? 0n) + 1n]);
}
