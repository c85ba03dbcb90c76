/** Calling somebody back who looked away while a build ran. */
import type { Output } from "./io.ts";

/** Seconds after which people have looked away. */
const patience = 10;
const bell = "\u0007";

/** Rings the terminal's bell at the end of what took long; nowhere else, and not where no terminal is. */
export function callBack({ stderr }: { readonly stderr: Output }, seconds: number, wanted: boolean): void {
  if (!wanted || stderr.isTTY !== true || seconds < patience) return;
  if (stderr.draw === undefined) stderr.write(bell);
  else stderr.draw(bell);
}
