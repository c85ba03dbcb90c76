/** Who said what an option's value is: the command line, a file, the environment, the Taskfile, or nobody. */
import type { Parameter, Taskfile } from "../../engine/index.ts";
import { fileFlag, fileKey } from "./secret-value.ts";
import type { ValueOrigin, ValueSources } from "./value-sources.ts";

const builtIn: ValueOrigin = { from: "built in" };

/** The origin of a parameter's value. */
export function originOf(parameter: Parameter<unknown>, sources: ValueSources): ValueOrigin {
  const { flag, defaults } = sources;
  const flags = [parameter.name, ...(parameter.aliases ?? [])].map((name) => `--${name}`);
  if (parameter.kind === "secret") flags.push(fileFlag(parameter));
  const given = flags.find((one) => flag(one) !== undefined);
  if (given !== undefined) return { from: "command line", where: given };
  const named = originOfKeys([parameter.env, fileKey(parameter)], sources);
  if (named !== undefined) return named;
  return defaults.has(parameter.name) ? { from: "Taskfile", where: "Taskfile.ts" } : builtIn;
}

/** The origin of the variant. */
export function originOfVariant(taskfile: Taskfile, sources: ValueSources): ValueOrigin {
  const flags = Object.values(taskfile.variants).flatMap((variant) => variant.flags);
  const given = flags.find((one) => one.startsWith("--") && sources.flag(one) === true);
  if (given !== undefined) return { from: "command line", where: given };
  const named = originOfKeys([taskfile.variantEnv], sources);
  if (named !== undefined) return named;
  return taskfile.defaults?.variant === undefined ? builtIn : { from: "Taskfile", where: "Taskfile.ts" };
}

function originOfKeys(
  keys: readonly (string | undefined)[],
  { config, places, env }: ValueSources,
): ValueOrigin | undefined {
  for (const key of keys)
    if (key !== undefined && config.has(key)) return { from: "file", where: places.get(key) ?? key };
  for (const key of keys)
    if (key !== undefined && (env[key] ?? "") !== "") return { from: "environment", where: key };
  return undefined;
}
