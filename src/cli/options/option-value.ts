/**
 * What the user said of each parameter and of the variant: the command line before the configuration file before the
 * environment before the Taskfile. Built-in defaults are the engine's.
 */
import { existsSync } from "node:fs";
import path from "node:path";
import type { Parameter, Taskfile } from "../../engine/index.ts";
import { UsageError } from "../../errors/index.ts";
import { fileKey } from "./secret-value.ts";
import type { ValueSources } from "./value-sources.ts";

/** Keys that a configuration file may have. */
export function configKeys(
  taskfile: Taskfile,
  parameters: readonly Parameter<unknown>[],
): ReadonlySet<string> {
  const keys = parameters
    .flatMap((parameter) => [parameter.env, fileKey(parameter)])
    .filter((key) => key !== undefined);
  const others = [taskfile.variantEnv, ...(taskfile.deprecated ?? []).map(({ env }) => env)];
  return new Set([...keys, ...others.filter((key) => key !== undefined)]);
}

/**
 * The variant to build: what is said, else the Taskfile's default, else its first one. Throws `UsageError` when two are
 * asked for, or one that is not known.
 */
export function chosenVariant(taskfile: Taskfile, { flag, config, env }: ValueSources): string {
  const names = Object.keys(taskfile.variants);
  const chosen = names.filter((name) =>
    taskfile.variants[name]?.flags.some((word) => word.startsWith("--") && flag(word) === true),
  );
  if (chosen.length > 1) {
    throw new UsageError(`an image has one variant: ${chosen.join(" or ")}`, {
      code: "variant-conflict",
      hint: `omit ${chosen
        .slice(1)
        .map((name) => taskfile.variants[name]?.flags.find((word) => word.startsWith("--")))
        .join(", ")}`,
    });
  }
  const key = taskfile.variantEnv;
  const named = chosen[0] ?? (key === undefined ? undefined : (config.get(key) ?? env[key]));
  if (named === undefined || named === "") return taskfile.defaults?.variant ?? names[0] ?? "default";
  if (!names.includes(named)) {
    throw new UsageError(`${key} is "${named}", but must be one of: ${names.join(", ")}`, {
      code: "variant-unknown",
      hint: "use one of these, or unset it",
    });
  }
  return named;
}

/**
 * The texts that were given, by parameter, but no secrets. Paths are made absolute, from the directory `cwd`; those of a configuration
 * file that are not there may lie beside it, or in the directory of the parameter's `lookIn`.
 */
export function optionValues(
  parameters: readonly Parameter<unknown>[],
  sources: ValueSources,
  cwd: string,
): ReadonlyMap<string, string> {
  const given = new Map<string, string>();
  const fromFile: Parameter<unknown>[] = [];
  for (const parameter of parameters) {
    if (parameter.kind === "secret") continue;
    const onCommandLine = [parameter.name, ...(parameter.aliases ?? [])]
      .map((name) => sources.flag(`--${name}`) as string | readonly string[] | true | undefined)
      .find((value) => value !== undefined);
    const named = typeof onCommandLine === "object" ? onCommandLine.join("\n") : onCommandLine;
    const value = named ?? fromConfigOrEnv(parameter, sources);
    if (named === undefined && parameter.kind === "path" && sources.config.has(parameter.env ?? ""))
      fromFile.push(parameter);
    const byDefault = sources.defaults.get(parameter.name);
    if (value !== undefined) {
      const text = value === true ? "1" : value;
      given.set(parameter.name, parameter.kind === "path" ? path.resolve(cwd, text) : text);
      // A default's path is relative to the workspace, as a built-in one is.
    } else if (byDefault !== undefined) given.set(parameter.name, byDefault);
  }
  const isLater = ({ lookIn }: Parameter<unknown>): number => (lookIn === undefined ? 0 : 1);
  for (const { name, env = "", lookIn } of fromFile.sort((one, other) => isLater(one) - isLater(other))) {
    const text = sources.config.get(env) ?? "";
    const directories = [cwd, sources.configDirectory, given.get(lookIn?.name ?? "")];
    const places = directories.flatMap((one) => (one === undefined ? [] : [path.resolve(one, text)]));
    const found = places.find((place) => existsSync(place));
    if (found !== undefined) given.set(name, found);
  }
  return given;
}

function fromConfigOrEnv(parameter: Parameter<unknown>, { config, env }: ValueSources): string | undefined {
  if (parameter.env === undefined) return undefined;
  return config.get(parameter.env) ?? (env[parameter.env] === "" ? undefined : env[parameter.env]);
}
