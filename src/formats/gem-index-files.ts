/**
 * The index of a gem server that RubyGems reads since 1.2: lists of all gems, and a short specification of each.
 *
 * Format: RubyGems, `Gem::Indexer#build_indices` (what `gem generate_index` writes), `Gem::Specification#_dump`.
 */
import { deflateSync } from "node:zlib";
import type { GemIdentity } from "./gem.ts";
import { type Attributes, anyVersion } from "./gem-attributes.ts";
import { readAttributes } from "./gem-specification.ts";
import { gzipBytes } from "./gzip.ts";
import { marshal, type RubyValue } from "./ruby-marshal.ts";

/** A gem without machine code, as an index describes it. */
export interface IndexedGem extends GemIdentity {
  /** `NAME-VERSION` */
  readonly fullName: string;
  /** The `Gem::Specification`, without lists of files. */
  readonly specification: Buffer;
}

/**
 * Reads what an index says of the gem at `path` (absolute). `label` is how errors name it.
 * @throws UserError `bad-gem`
 */
export async function readIndexedGem(path: string, label = path): Promise<IndexedGem> {
  return await readAttributes(path, label, (identity, given) => {
    if (identity.platform !== "ruby") throw new Error(`it is for ${identity.platform}`);
    return {
      ...identity,
      fullName: `${identity.name}-${identity.version}`,
      specification: marshal({ class: "Gem::Specification", bytes: marshal(fields(identity, given)) }),
    };
  });
}

/**
 * The files of the index, by their paths relative to the server's root, for gems of different names. The same gems give the same bytes
 * under the same Node.
 */
export function gemIndexFiles(gems: readonly IndexedGem[]): ReadonlyMap<string, Buffer> {
  const sorted = [...gems].sort((one, other) =>
    Buffer.compare(Buffer.from(one.name), Buffer.from(other.name)),
  );
  const released = sorted.filter(({ version }) => !isPrerelease(version));
  const lists = {
    specs: released,
    latest_specs: released,
    prerelease_specs: sorted.filter(({ version }) => isPrerelease(version)),
  };
  const files = new Map<string, Buffer>();
  for (const [name, listed] of Object.entries(lists)) {
    const tuples = listed.map((gem) => [gem.name, versionObject(gem.version), gem.platform]);
    files.set(`${name}.4.8.gz`, gzipBytes(marshal(tuples)));
  }
  for (const { fullName, specification } of sorted) {
    files.set(`quick/Marshal.4.8/${fullName}.gemspec.rz`, deflateSync(specification, { level: 9 }));
  }
  return files;
}

/** RubyGems, `Gem::Version#prerelease?` */
function isPrerelease(version: string): boolean {
  return /[a-zA-Z]/.test(version);
}

/** The elements of `_dump`, in its order. */
function fields({ name, version, platform }: GemIdentity, given: Attributes): readonly RubyValue[] {
  const mail = given.texts("email");
  return [
    given.text("rubygems_version") ?? "0",
    Number(given.number("specification_version") ?? "4"),
    name,
    versionObject(version),
    new Date(`${given.day("date")}T00:00:00Z`),
    given.text("summary") ?? "",
    requirementObject(given.requirement("required_ruby_version")),
    requirementObject(given.requirement("required_rubygems_version")),
    platform,
    given.dependencies().map((dependency) => {
      const requirement = requirementObject(dependency.requirement);
      return {
        class: "Gem::Dependency",
        variables: {
          "@name": dependency.name,
          "@requirement": requirement,
          "@type": { symbol: dependency.type },
          "@prerelease": false,
          // RubyGems before 1.3.6 reads this one.
          "@version_requirements": requirement,
        },
      };
    }),
    // Once the project on RubyForge.
    "",
    given.isText("email") ? (mail[0] ?? null) : mail.length === 0 ? null : mail,
    given.texts("authors"),
    given.text("description") ?? "",
    given.text("homepage") ?? null,
    // Whether there is documentation, which is always so.
    true,
    platform,
    given.texts("licenses"),
    { pairs: given.words("metadata") },
  ];
}

function versionObject(version: string): RubyValue {
  return { class: "Gem::Version", dump: [version] };
}

/** `bounds` as in `>= 1.0`. */
function requirementObject(bounds: readonly string[]): RubyValue {
  const pairs = (bounds.length === 0 ? anyVersion : bounds).map((bound) => {
    const [operator = "=", version = "0"] = bound.split(" ");
    return [operator, versionObject(version)];
  });
  return { class: "Gem::Requirement", dump: [pairs] };
}
