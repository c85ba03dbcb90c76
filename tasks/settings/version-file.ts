/** The file VERSION of a project: a version that is set by hand, and takes precedence over `git describe`. */
import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { ParameterHost } from "../../src/engine/index.ts";
import { systemErrorCode, systemReason, UserError } from "../../src/errors/index.ts";
import { isVersion } from "./version-form.ts";

/** Its name, relative to the workspace. */
export const versionFile = "VERSION";

/**
 * The version in the workspace's VERSION; undefined where there is no such file. The file has one line. Throws a
 * `UserError` for a file that cannot be read or has no valid version.
 */
export function readVersionFile(host: Pick<ParameterHost, "root" | "dependsOn">): string | undefined {
  const file = path.join(host.root, versionFile);
  host.dependsOn(file, async () => ({ paths: [file], isWhole: true }));
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (cause) {
    if (systemErrorCode(cause) === "ENOENT") return undefined;
    throw new UserError(`the version cannot be read: ${systemReason(cause)}`, {
      code: "unreadable-file",
      where: file,
      hint: "check the type and the permissions of the file",
      cause,
    });
  }
  const version = text.trim();
  if (isVersion(version)) return version;
  throw new UserError(`VERSION contains ${JSON.stringify(version.slice(0, 80))}, which is not a version`, {
    code: "version-invalid",
    where: file,
    hint: "write a version on its only line, as task version --set 0.9.3 does, or delete the file to use git describe",
  });
}

/** Writes the version to the VERSION of a workspace (absolute path); a reader never finds half of it. */
export function writeVersionFile(workspace: string, version: string): void {
  const file = path.join(workspace, versionFile);
  const staged = `${file}.${process.pid}.tmp`;
  try {
    writeFileSync(staged, `${version}\n`);
    renameSync(staged, file);
  } catch (cause) {
    rmSync(staged, { force: true });
    throw new UserError(`the version cannot be written: ${systemReason(cause)}`, {
      code: "not-writable",
      where: file,
      hint: "check the permissions and the free space of the project's directory",
      cause,
    });
  }
}
