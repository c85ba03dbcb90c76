/** What `fetch-iso` found out about the Core ISO and passes on. */
import { readFile } from "node:fs/promises";

export interface CoreFacts {
  /** File names in the ISO's boot directory. */
  readonly kernel: string;
  readonly initrd: string;
  /** As `uname -r` prints it; `-KERNEL` in an extension's name stands for it. */
  readonly kernelRelease: string;
  /** Whether boot files or the menu differ from the ISO's, which has another layout than Core's releases. */
  readonly isChanged: boolean;
}

/** Reads the facts from the absolute path of `core.json`. */
export async function readCoreFacts(file: string): Promise<CoreFacts> {
  return JSON.parse(await readFile(file, "utf8")) as CoreFacts;
}
