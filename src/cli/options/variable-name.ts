/** Variables of the environment whose names are nearly those of an option. */
import type { Taskfile } from "../../engine/index.ts";
import { didYouMean, UsageError } from "../../errors/index.ts";
import type { Io } from "../terminal/io.ts";

/** The prefix of the project's variables, taken from the one that names the variant: `MK_BUNDLE_`. */
function prefixOf({ variantEnv }: Taskfile): string | undefined {
  return variantEnv === undefined ? undefined : /^.*_/.exec(variantEnv)?.[0];
}

/** Throws `UsageError` for a variable with the project's prefix that is not in `known` and looks like one that is. */
export function checkVariables(
  taskfile: Taskfile,
  known: ReadonlySet<string>,
  variables: Io["variables"],
): void {
  const prefix = prefixOf(taskfile);
  if (prefix === undefined) return;
  const rest = (name: string): string => name.slice(prefix.length);
  for (const name of variables(prefix)) {
    if (known.has(name)) continue;
    // Compared without the prefix: what all names have in common makes none of them more alike.
    const candidates = [...known].filter((one) => one.startsWith(prefix)).map(rest);
    const hint = didYouMean(rest(name), candidates);
    if (hint === undefined) continue;
    throw new UsageError(`the variable ${name} is not known`, {
      code: "variable-unknown",
      where: "the environment",
      hint: hint.replace(/[A-Z][A-Z0-9_]*/g, (meant) => `${prefix}${meant}`),
    });
  }
}
