/** What a version looks like, and the versions that follow one. */
import { UserError } from "../../src/errors/index.ts";

/** What fits the names of a file and of a volume. */
export const versionForm = /^[0-9A-Za-z][0-9A-Za-z.+_~-]{0,63}$/;

/** Whether an image can have this version: three or four numbers, or anything else that fits a name. */
export function isVersion(text: string): boolean {
  return versionForm.test(text);
}

/** The parts of a version that can be raised. */
export const versionParts = ["major", "minor", "patch", "beta"] as const;
export type VersionPart = (typeof versionParts)[number];

/** Two to four numbers, perhaps a pre-release, perhaps what `git describe` appends. */
const form = /^(\d+)\.(\d+)(?:\.(\d+))?(?:\.\d+)?(?:[-+~]([A-Za-z]+)\.?(\d+))?(?![0-9A-Za-z.])/;

/**
 * The version that follows `version` when a part is raised: the parts behind it become 0, and commits since a tag do not
 * count. Pre-releases precede their release (semver.org, items 9 and 11): `beta` of 1.0.0 is 1.0.1-beta.1, then
 * 1.0.1-beta.2, and `patch` of that is 1.0.1. Throws a `UserError` for a version that does not begin with numbers.
 */
export function nextVersion(version: string, part: VersionPart): string {
  const match = form.exec(version);
  // A commit without a tag is 0.0.0+g<commit>: what may look like a pre-release is the commit.
  const [, major = "", minor = "", patch = "0", label, count] = /^0\.0\.0\+g/.test(version)
    ? ["", "0", "0", "0"]
    : (match ?? []);
  if (major === "") {
    throw new UserError(`the version "${version}" has no ${part} number to raise`, {
      code: "version-invalid",
      hint: "set the next version by name: task version --set 1.0.0",
    });
  }
  const isBefore = label !== undefined;
  switch (part) {
    case "major":
      return isBefore && minor === "0" && patch === "0" ? `${major}.0.0` : `${Number(major) + 1}.0.0`;
    case "minor":
      return isBefore && patch === "0" ? `${major}.${minor}.0` : `${major}.${Number(minor) + 1}.0`;
    case "patch":
      return isBefore ? `${major}.${minor}.${patch}` : `${major}.${minor}.${Number(patch) + 1}`;
    case "beta":
      if (label === "beta") return `${major}.${minor}.${patch}-beta.${Number(count) + 1}`;
      return `${major}.${minor}.${Number(patch) + 1}-beta.1`;
  }
}
