/**
 * Where a secret comes from: its option, a file that another option names, standard input, or somebody who types it.
 */
import path from "node:path";
import type { LateText, Parameter } from "../../engine/index.ts";
import { systemReason, UsageError } from "../../errors/index.ts";
import type { Io } from "../terminal/io.ts";
import { decodeSecret } from "../terminal/secret-text.ts";
import { readSmallFile } from "./small-file.ts";
import type { ValueSources } from "./value-sources.ts";

/** Stands for standard input, as a secret and as the name of its file. */
const standardInput = "-";

/** `--tc-passwd-file`, beside `--tc-passwd`. */
export function fileFlag({ name }: Pick<Parameter<unknown>, "name">): string {
  return `--${name}-file`;
}

/** `MK_BUNDLE_TC_PASSWD_FILE`, beside `MK_BUNDLE_TC_PASSWD`; undefined for what is no secret. */
export function fileKey({ kind, env }: Pick<Parameter<unknown>, "kind" | "env">): string | undefined {
  return kind !== "secret" || env === undefined ? undefined : `${env}_FILE`;
}

/** Names of the variables that hold secrets, which no child process may get. */
export function secretVariables(parameters: readonly Parameter<unknown>[]): readonly string[] {
  return parameters.flatMap(({ kind, env }) => (kind === "secret" && env !== undefined ? [env] : []));
}

/**
 * The secrets that were given, by parameter name. The command line wins over the configuration file, that over the
 * environment; at each of these a secret and its file are an error together. What comes from standard input or a
 * person is asked for on first use, and once. Throws `UsageError`, without the secret in it.
 */
export function secretValues(
  parameters: readonly Parameter<unknown>[],
  sources: ValueSources,
  cwd: string,
  askSecret: Io["askSecret"],
): ReadonlyMap<string, string | LateText> {
  const given = new Map<string, string | LateText>();
  let reader: string | undefined;
  for (const secret of parameters.filter(({ kind }) => kind === "secret")) {
    const found = find(secret, sources);
    if (found === undefined) continue;
    const option = `--${secret.name}`;
    if (found.text !== standardInput) {
      given.set(secret.name, found.isFile ? readSecretFile(fileFlag(secret), found.text, cwd) : found.text);
      continue;
    }
    if (reader !== undefined) {
      throw new UsageError(`${reader} and ${option} cannot both come from standard input`, {
        code: "secret-input",
        hint: `put one of them into a file and name it with ${option}-file`,
      });
    }
    reader = option;
    given.set(
      secret.name,
      once(() => askSecret(secret.name)),
    );
  }
  return given;
}

interface Found {
  readonly text: string;
  readonly isFile: boolean;
}

function find(secret: Parameter<unknown>, { flag, config, env }: ValueSources): Found | undefined {
  const own = `--${secret.name}`;
  const given = [own, ...(secret.aliases ?? []).map((alias) => `--${alias}`)]
    .map((long) => flag(long) as string | undefined)
    .find((text) => text !== undefined);
  const key = secret.env;
  const keyOfFile = fileKey(secret);
  const inFile = (name: string | undefined) => (name === undefined ? undefined : config.get(name));
  const inEnv = (name: string | undefined) => (name === undefined ? undefined : env[name] || undefined);
  const places = [
    [own, given, fileFlag(secret), flag(fileFlag(secret)) as string | undefined],
    [key, inFile(key), keyOfFile, inFile(keyOfFile)],
    [key, inEnv(key), keyOfFile, inEnv(keyOfFile)],
  ] as const;
  for (const [valueName, value, fileName, file] of places) {
    if (value !== undefined && file !== undefined) {
      throw new UsageError(`${valueName} and ${fileName} set the same secret`, {
        code: "secret-twice",
        hint: "omit one of the two",
      });
    }
    if (value !== undefined) return { text: value, isFile: false };
    if (file !== undefined) return { text: file, isFile: true };
  }
  return undefined;
}

/** The one line of a file; `file` is absolute or relative to `cwd`. */
function readSecretFile(option: string, file: string, cwd: string): string {
  let bytes: Buffer;
  try {
    bytes = readSmallFile(path.resolve(cwd, file), option, file);
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(`${option} ${file} cannot be read: ${systemReason(error)}`, {
      code: "secret-unreadable",
      hint: "check the name and the permissions of the file",
    });
  }
  const text = decodeSecret(bytes, `${option} ${file}`);
  const line = text.replace(/\r?\n$/, "");
  if (line === "" || /[\r\n]/.test(line)) {
    throw new UsageError(`${option} ${file} has ${line === "" ? "no" : "more than one"} line`, {
      code: "secret-file",
      hint: "write only the secret on the first line of the file",
    });
  }
  return line;
}

function once(ask: LateText): LateText {
  let asked: Promise<string> | undefined;
  return () => {
    asked ??= ask();
    return asked;
  };
}
