/** Files that a user wants a build described in: whether they can be written is found out before the build, not after it. */
import { accessSync, constants, existsSync, writeFileSync } from "node:fs";
import path from "node:path";
import { systemReason, UserError } from "../../errors/index.ts";

/** `file`: absolute, or relative to the current folder. Throws a `UserError` that names the option. */
export function checkReport(option: string, file: string): void {
  attempt(option, file, () => accessSync(existsSync(file) ? file : path.dirname(file), constants.W_OK));
}

export function writeReport(option: string, file: string, text: string): void {
  attempt(option, file, () => writeFileSync(file, text));
}

function attempt(option: string, file: string, work: () => void): void {
  try {
    work();
  } catch (error) {
    throw new UserError(`${option} ${file} cannot be written: ${systemReason(error)}`, {
      code: "report-unwritable",
      hint: "name a file in an existing, writable directory",
      cause: error,
    });
  }
}
