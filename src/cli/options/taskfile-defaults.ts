/** What the Taskfile says of options and of the variant: the project's defaults. */
import type { Parameter, Taskfile } from "../../engine/index.ts";
import { didYouMean, UsageError } from "../../errors/index.ts";

/** The texts of the options, by name without dashes. Throws `UsageError` for an option that is none, or a secret. */
export function defaultsOf(
  { defaults = {}, variants }: Taskfile,
  parameters: readonly Parameter<unknown>[],
): ReadonlyMap<string, string> {
  const { variant, source, options = {} } = defaults;
  const names = Object.keys(variants);
  if (variant !== undefined && !names.includes(variant))
    throw wrong(
      `the default variant is "${variant}"`,
      didYouMean(variant, names) ?? `name one of ${names.join(", ")}`,
    );
  const named = Object.entries(source === undefined ? options : { source, ...options });
  return new Map(
    named.map(([name, value]) => {
      const parameter = parameters.find((one) => one.name === name);
      if (parameter === undefined) {
        const near = didYouMean(
          name,
          parameters.map((one) => one.name),
        );
        throw wrong(`there is no option "${name}"`, near ?? "`task settings` lists the options");
      }
      if (parameter.kind === "secret")
        throw wrong(`"${name}" is a secret`, `omit it; name a file with --${name}-file instead`);
      if (typeof value === "object") return [name, value.join("\n")];
      return [name, typeof value === "boolean" ? (value ? "1" : "0") : value];
    }),
  );
}

function wrong(what: string, hint: string): UsageError {
  return new UsageError(`the Taskfile's defaults: ${what}`, {
    code: "taskfile-defaults",
    where: "Taskfile.ts",
    hint,
  });
}
