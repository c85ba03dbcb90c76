/**
 * What a gem server says about a gem: its releases, their dependencies and digests, from the compact index. It
 * chooses none.
 *
 * Format (RubyGems' compact index, `/info/NAME`): an optional head that ends with `---`, then a line for each
 * release: `VERSION[-PLATFORM] NAME:REQ[&REQ],…|checksum:SHA256,ruby:REQ,rubygems:REQ`.
 */
import { UserError } from "../../errors/index.ts";
import { joinLocation, publicUrl } from "../http/location.ts";
import type { Transport } from "../http/transport.ts";
import { excerpt } from "../pins/list.ts";
import { isGemName } from "./gem-list.ts";
import { type GemRequirement, parseGemRequirement } from "./gem-requirement.ts";
import { type GemVersion, parseGemVersion } from "./gem-version.ts";

interface GemDependency {
  readonly name: string;
  readonly requirement: GemRequirement;
}

export interface GemRelease {
  readonly name: string;
  readonly version: GemVersion;
  readonly deps: readonly GemDependency[];
  /** Lower-case hexadecimal. */
  readonly sha256: string | undefined;
  /** The Ruby versions it runs on, when it says so. */
  readonly ruby: GemRequirement | undefined;
}

export interface GemIndex {
  /** All releases for plain Ruby, or undefined when there is no such gem. */
  releases(name: string, where: string): Promise<readonly GemRelease[] | undefined>;
}

/** Reads `/info/NAME`; `where` is its URL in messages. Releases for other platforms than `ruby` are left out. */
export function parseGemInfo(text: string, name: string, where: string): readonly GemRelease[] {
  const all = text.split(/\r\n|\n|\r/);
  const head = all.indexOf("---");
  const releases: GemRelease[] = [];
  for (const [index, line] of all.entries()) {
    if (index <= head || line.trim() === "") continue;
    const parsed = parseRelease(line, name);
    if (parsed === "other-platform") continue;
    if (parsed === undefined) {
      throw new UserError(`the gem index has an invalid line about ${name}: "${excerpt(line)}"`, {
        code: "bad-gem-index",
        where: `${where}:${index + 1}`,
        hint: "try again later, or use another gem server: the index is damaged",
      });
    }
    releases.push(parsed);
  }
  return releases;
}

function parseRelease(line: string, name: string): GemRelease | "other-platform" | undefined {
  const match = /^([^\s|-]+)(-\S+)? ?([^|]*)\|(.*)$/.exec(line);
  if (match === null) return undefined;
  const [, number = "", platform, depsText = "", extraText = ""] = match;
  const version = parseGemVersion(number);
  if (version === undefined) return undefined;
  if (platform !== undefined && platform !== "-ruby") return "other-platform";
  const deps: GemDependency[] = [];
  for (const part of depsText.split(",")) {
    if (part.trim() === "") continue;
    const [, depName = "", requirementText = ""] = /^([^:]+):(.*)$/.exec(part.trim()) ?? [];
    const requirement = parseGemRequirement(requirementText);
    if (!isGemName(depName) || requirement === undefined) return undefined;
    deps.push({ name: depName, requirement });
  }
  let sha256: string | undefined;
  let ruby: GemRequirement | undefined;
  for (const part of extraText.split(",")) {
    const [, key, value = ""] = /^([^:]+):(.*)$/.exec(part.trim()) ?? [];
    if (key === "checksum") {
      if (!/^[0-9a-f]{64}$/i.test(value)) return undefined;
      sha256 = value.toLowerCase();
    }
    if (key === "ruby") ruby = parseGemRequirement(value);
  }
  return { name, version, deps, sha256, ruby };
}

/** The compact index of the gem server at `base` (URL or absolute path), each gem asked for once. */
export function openGemIndex(base: string, transport: Transport): GemIndex {
  const asked = new Map<string, Promise<readonly GemRelease[] | undefined>>();
  const ask = async (name: string, where: string): Promise<readonly GemRelease[] | undefined> => {
    const url = joinLocation(base, "info", name);
    const request = { name: `info/${name}`, url, kind: "text", optional: true, where } as const;
    const answer = await transport.read(request);
    if (answer.status !== "fetched") return undefined;
    return parseGemInfo(answer.bytes.toString("utf8"), name, publicUrl(url));
  };
  return {
    releases(name, where) {
      const known = asked.get(name) ?? ask(name, where);
      asked.set(name, known);
      return known;
    },
  };
}
