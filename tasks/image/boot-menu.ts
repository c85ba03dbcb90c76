/** The boot menu: Core's isolinux.cfg, with a shorter wait. */
import { readFile, writeFile } from "node:fs/promises";

/** Tenths of a second that the menu waits: Core's 300 are long for a machine that nobody watches. */
const timeout = 100;

/** Changes `timeout 300` in the menu's text; any other time is the user's choice and stays. */
export function adaptTimeout(text: string): string {
  return text.replace(/^(\s*timeout\s+)300\b/gim, `$1${timeout}`);
}

/** Does so in the file (absolute path). */
export async function adaptBootMenu(file: string): Promise<void> {
  await writeFile(file, adaptTimeout(await readFile(file, "latin1")), "latin1");
}
