/**
 * The version of a build: what the project's VERSION says, else `git describe` with the tag's leading `v` off and the first
 * `-` made a `+`. A project that is not in git yet has the version of its package.json.
 */
import { readFileSync } from "node:fs";
import path from "node:path";
import type { ParameterHost } from "../../src/engine/index.ts";
import { UserError } from "../../src/errors/index.ts";
import { askProject, isOfAnotherRepository } from "./git.ts";
import { readVersionFile } from "./version-file.ts";
import { isVersion } from "./version-form.ts";

/**
 * The version of the image's files, which lie in `overlay` (absolute, or relative to the workspace):
 * `0.9.3`, `0.9.3+2-gabc1234-dirty`; without a tag `0.0.0+g<commit>`. Throws a `UserError` naming --iso-version when
 * there is no commit to name, or git fails.
 */
export async function describeVersion(host: ParameterHost, overlay: string): Promise<string> {
  // The version of somebody's project, in a repository of its own, is not the workspace's.
  const set = isOfAnotherRepository(path.resolve(host.root, overlay), host.root)
    ? undefined
    : readVersionFile(host);
  if (set !== undefined) return set;
  // Long and in full: a tag of hexadecimal digits is not taken for a commit, and no setting decides how many digits count.
  const question = ["describe", "--tags", "--dirty", "--always", "--long", "--abbrev=64"];
  const described = await askProject(host, overlay, question);
  if (described === undefined || described === "") {
    const declared = declaredVersion(host.root);
    if (declared !== undefined) return declared;
    throw new UserError(
      "the version is unknown: this is not a git checkout with a commit, and package.json has no version",
      {
        code: "version-unknown",
        where: host.root,
        hint: "set it with --iso-version, e.g. --iso-version 0.9.3",
      },
    );
  }
  const version = versionOf(described);
  if (version.startsWith(untagged) && (await askProject(host, overlay, isShallow)) === "true") {
    host.note(
      `the clone is shallow and has no tag, so the version is ${version}; git fetch --unshallow --tags fetches the tags`,
    );
  }
  if (isVersion(version)) return version;
  throw new UserError(`git describe prints "${version}", which is not valid in a file name`, {
    code: "version-invalid",
    where: host.root,
    hint: "set one with --iso-version, e.g. --iso-version 0.9.3, or tag the commit v0.9.3",
  });
}

function declaredVersion(root: string): string | undefined {
  try {
    const { version } = JSON.parse(readFileSync(path.join(root, "package.json"), "utf8")) as {
      readonly version?: unknown;
    };
    return typeof version === "string" && version !== "" ? version : undefined;
  } catch {
    return undefined;
  }
}

const isShallow = ["rev-parse", "--is-shallow-repository"];
const untagged = "0.0.0+g";

/** Digits of a commit's name in a version: as many as git shows at least. */
const shownDigits = 7;

/** The version for what `git describe --tags --dirty --always --long --abbrev=64` printed. */
function versionOf(described: string): string {
  const [, name = described, dirty = ""] = /^(.*?)(-dirty)?$/s.exec(described) ?? [];
  // Without a tag git prints the commit alone.
  if (/^[0-9a-f]{40,64}$/.test(name)) return `${untagged}${name.slice(0, shownDigits)}${dirty}`;
  const [, tag = name, commits = "0", commit = ""] = /^(.*)-(\d+)-g([0-9a-f]{40,64})$/s.exec(name) ?? [];
  const since = commits === "0" ? "" : `-${commits}-g${commit.slice(0, shownDigits)}`;
  return `${tag}${since}${dirty}`.replace(/^v(?=\d)/, "").replace("-", "+");
}
