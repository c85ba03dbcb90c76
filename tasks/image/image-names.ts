/**
 * The names of an image, in `lists/image.yaml`: the ISO's file, its volume id and its application id.
 *
 * Limits: ECMA-119 8.4.7 (volume identifier, 32 characters) and 8.4.20 (application identifier, 128).
 */
import { readFile } from "node:fs/promises";
import path from "node:path";
import { type Parameter, param } from "../../src/engine/index.ts";
import { systemErrorCode, UserError } from "../../src/errors/index.ts";
import { isoVersion } from "../settings/image-options.ts";
import { readSettings, type Settings, text } from "./settings-file.ts";

/** Relative to the workspace. */
const namesFile = "lists/image.yaml";

/** Names as the file has them, `{version}` and the like not filled in; undefined for those that it does not set. */
export interface ImageNames {
  readonly file: string | undefined;
  readonly volume: string | undefined;
  readonly application: string | undefined;
}

const placeholder = /\{(\w+)\}/g;

/** What may stand in braces in each name. */
const known: Readonly<Record<keyof ImageNames, readonly string[]>> = {
  file: ["version", "variant"],
  volume: ["version", "variant", "arch"],
  application: ["version", "variant", "arch"],
};

/** Reads the text of the file. @throws UserError `image-names` with the line */
export async function readImageNames(source: string): Promise<ImageNames> {
  const settings: Settings = await readSettings(source, {
    file: namesFile,
    code: "image-names",
    rules: {
      file: text(
        "a file name that ends in .iso and has {variant} in it, so that no variant overwrites another",
        /^(?=.*\{variant\})[\w{][\w{}.+~-]*\.iso$/,
      ),
      volume: text("printable ASCII", /^[ -~]+$/),
      application: text("printable ASCII", /^[ -~]+$/),
    },
  });
  const names = Object.fromEntries(
    Object.keys(known).map((key) => [key, settings.get(key) as string | undefined]),
  ) as unknown as ImageNames;
  for (const [key, words] of Object.entries(known))
    for (const [, word = ""] of names[key as keyof ImageNames]?.matchAll(placeholder) ?? [])
      if (!words.includes(word))
        throw new UserError(`{${word}} has no value in "${key}"`, {
          code: "image-names",
          where: namesFile,
          hint: `use ${words.map((one) => `{${one}}`).join(", ")}`,
        });
  return names;
}

export const imageNames: Parameter<ImageNames> = param.derived({
  name: "image-names",
  description: "names of lists/image.yaml",
  default: async (host) => {
    const file = path.join(host.root, namesFile);
    host.dependsOn("image names", async () => ({ paths: [file], isWhole: true }));
    const source = await readFile(file, "utf8").catch((error: unknown) => {
      if (systemErrorCode(error) === "ENOENT") return undefined;
      throw error;
    });
    return source === undefined
      ? { file: undefined, volume: undefined, application: undefined }
      : await readImageNames(source);
  },
});

/** The ISO's path, relative to the workspace. */
export const imageFile: Parameter<string> = param.derived({
  name: "image-file",
  description: "path of the ISO",
  default: async (host) => {
    const names = await host.value(imageNames);
    const values = { version: await host.value(isoVersion), variant: host.variant };
    const name = names.file === undefined ? "rz_mk_{variant}-image.{version}.iso" : names.file;
    return `build-files/${fill(name, values)}`;
  },
});

/**
 * A name with its values, at most so many characters.
 * @throws UserError `image-names` for one that is longer
 */
export function fillName(
  name: string,
  values: Readonly<Record<string, string>>,
  { key, most }: { readonly key: keyof ImageNames; readonly most: number },
): string {
  const filled = fill(name, values);
  if (filled.length <= most) return filled;
  throw new UserError(`"${key}" becomes ${filled}, which has ${filled.length} characters; ${most} fit`, {
    code: "image-names",
    where: namesFile,
    hint: "shorten it",
  });
}

function fill(name: string, values: Readonly<Record<string, string>>): string {
  return name.replace(placeholder, (whole, word: string) => values[word] ?? whole);
}
