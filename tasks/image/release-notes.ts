/** What a release tells of itself and of its changes since the last one: commits, and downloads that are new, gone or newer. */
import type { ParameterHost } from "../../src/engine/index.ts";
import { UserError } from "../../src/errors/index.ts";
import { type Change, describeChanges, type LockLine, parseLock } from "../../src/fetch/index.ts";
import { askGit } from "../settings/git.ts";

/** The descriptions of a release as texts; each may be missing. */
interface Description {
  /** `release.json`. */
  readonly record: string | undefined;
  /** `sources.lock.json`. */
  readonly lock: string | undefined;
}

/** The content of `release.json`: the version, the variant, the time in seconds since 1970 and the commit, if there is one. */
export async function releaseRecord(
  host: ParameterHost,
  release: { readonly version: string; readonly variant: string; readonly epoch: number },
): Promise<string> {
  const commit = await askGit(host, host.root, ["rev-parse", "HEAD"]);
  return `${JSON.stringify({ ...release, ...(commit ? { commit } : {}) }, undefined, 2)}\n`;
}

/** The text of CHANGELOG for a release of this version; `last` is the release before it. */
export async function releaseNotes(
  host: ParameterHost,
  version: string,
  now: Description,
  last: Description | undefined,
): Promise<string> {
  if (last === undefined) return `${version}\n\nThe first release here.\n`;
  const before = parseRecord(last.record);
  const commits = before.commit === undefined ? [] : await commitsSince(host, before.commit);
  const downloads = describeChanges(compareLocks(last.lock, now.lock));
  const sections = [
    [`${version}`, "", `Changes since ${before.version ?? "the last release"}:`],
    ...(commits.length === 0 ? [] : [["Commits", ...commits.map((subject) => `- ${subject}`)]]),
    ...(downloads.length === 0 ? [] : [["Downloads", ...downloads.map((line) => `- ${line}`)]]),
    ...(commits.length + downloads.length === 0 ? [["No commits, and the same downloads."]] : []),
  ];
  return sections.map((lines) => `${lines.join("\n")}\n`).join("\n");
}

function parseRecord(text: string | undefined): { readonly version?: string; readonly commit?: string } {
  try {
    const { version, commit } = JSON.parse(text ?? "{}") as Readonly<Record<string, unknown>>;
    return {
      ...(typeof version === "string" ? { version } : {}),
      ...(typeof commit === "string" && /^[0-9a-f]{40,64}$/.test(commit) ? { commit } : {}),
    };
  } catch {
    return {};
  }
}

/** Subjects, the newest first; one line that says so where this clone does not have the commit. */
async function commitsSince(host: ParameterHost, commit: string): Promise<readonly string[]> {
  try {
    const log = await askGit(host, host.root, ["log", "--no-merges", "--format=%s", `${commit}..HEAD`]);
    return (log ?? "").split("\n").filter((line) => line !== "");
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return [`since ${commit.slice(0, 12)}, which is not in this clone`];
  }
}

/** The pins of both locks that differ, of every source, in the order of their names. */
function compareLocks(before: string | undefined, after: string | undefined): readonly Change[] {
  const [old, now] = [pinsOf(before), pinsOf(after)];
  return [...new Set([...old.keys(), ...now.keys()])].sort().flatMap((key): readonly Change[] => {
    const [from, to] = [entry(old.get(key)), entry(now.get(key))];
    const name = key.slice(key.indexOf("\0") + 1);
    if (from === undefined && to === undefined) return [];
    if (from === undefined || to === undefined) {
      const kind = from === undefined ? "added" : "removed";
      return [{ name, kind, ...(from && { before: from }), ...(to && { after: to }) }];
    }
    return from.sha256 === to.sha256 ? [] : [{ name, kind: "changed", before: from, after: to }];
  });
}

function pinsOf(text: string | undefined): ReadonlyMap<string, LockLine> {
  if (text === undefined) return new Map();
  const sources = [...parseLock(text, "sources.lock.json")];
  return new Map(
    sources.flatMap(([source, pins]) =>
      [...pins].map(([name, line]) => [`${source}\0${name}`, line] as const),
    ),
  );
}

function entry(line: LockLine | undefined) {
  return line === undefined || "absent" in line ? undefined : line;
}
