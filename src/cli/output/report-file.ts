/** Files that a user wants a build described in: whether they can be written is found out before the build, not after it. */
import { accessSync, constants, existsSync, writeFileSync } from "node:fs";
import path from "node:path";
import { systemReason, UserError } from "../../errors/index.ts";
import type { Output } from "../terminal/io.ts";

/** As the name of a file: standard output. */
export const standardOutput = "-";

/** `file`: absolute, or relative to the current directory. Throws a `UserError` that names the option. */
export function checkReport(option: string, file: string): void {
  if (file === standardOutput) return;
  attempt(option, file, () => accessSync(existsSync(file) ? file : path.dirname(file), constants.W_OK));
}

/** `output` is standard output, which the name `-` means. */
export function writeReport(option: string, file: string, text: string, output: Output): void {
  if (file === standardOutput) output.write(text);
  else attempt(option, file, () => writeFileSync(file, text));
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
