/** `recipe.yaml` of an extension: what it is built from, with which steps, and into which parts it is split. */
import { didYouMean } from "../../src/errors/index.ts";
import { SettingsYaml } from "../image/settings-yaml.ts";

/** The steps of a build, in their order; each is a text for the shell. */
export const stepNames = ["prepare", "configure", "make", "install", "after"] as const;
export type StepName = (typeof stepNames)[number];

/** Where the source is from. */
type RecipeSource =
  /** A file or directory; relative to the extension's directory. */
  | { readonly kind: "path"; readonly path: string }
  | { readonly kind: "url"; readonly url: string; readonly sha256: string }
  | { readonly kind: "git"; readonly url: string; readonly commit: string };

export interface Recipe {
  readonly version: string;
  readonly source: RecipeSource | undefined;
  /** Files in the extension's directory, in the order in which they are applied. */
  readonly patches: readonly string[];
  /** Names of extensions, with `.tcz`. */
  readonly buildNeeds: readonly string[];
  /** What the extension itself needs, as written; undefined where the recipe does not say. */
  readonly needs: readonly string[] | undefined;
  readonly steps: Readonly<Partial<Record<StepName, string>>>;
  /** Patterns of paths by the name of the part that gets them. */
  readonly split: ReadonlyMap<string, readonly string[]>;
  readonly strip: boolean;
  readonly network: boolean;
  /** The extension that is packed again instead of a source being built. */
  readonly from: string | undefined;
  /** Patterns of paths that it loses. */
  readonly remove: readonly string[];
  /** The error about the value at a place of the file. */
  readonly error: SettingsYaml["error"];
}

type Fields = Readonly<Record<string, unknown>>;
type Fail = SettingsYaml["error"];

const keys = [
  ...["version", "source", "patches", "build-needs", "needs", "steps", "split", "strip", "network"],
  ...["from", "remove"],
];
const partForm = /^[a-z0-9][a-z0-9_]*$/;

/** Reads the text of the file; `file` is its name in messages. @throws UserError `recipe` with the line */
export async function readRecipe(text: string, file: string): Promise<Recipe> {
  const yaml = await SettingsYaml.parse(text, file, "recipe");
  const error: Fail = (place, message, hint) => yaml.error(place, message, hint);
  const given = recordOf(yaml.value ?? {});
  if (given === undefined) throw error([], "the recipe has no keys", "write KEY: VALUE");
  refuseUnknown(given, keys, [], error);
  const { version, from } = given;
  if (typeof version !== "string" && typeof version !== "number")
    throw error(["version"], "a recipe needs a version", "write version: '1.0'");
  if (from !== undefined && (typeof from !== "string" || !from.endsWith(".tcz")))
    throw error(["from"], '"from" must be the file name of an extension', "write from: NAME.tcz");
  for (const key of ["source", "steps", "patches", "build-needs"])
    if (from !== undefined && given[key] !== undefined)
      throw error([key], `an extension that is packed again has no ${key}`, "remove this key, or from:");
  if (from === undefined && given.remove !== undefined)
    throw error(["remove"], '"remove" is for extensions that are packed again', "write from: NAME.tcz, too");
  return {
    version: `${version}`,
    from: from as string | undefined,
    source: sourceOf(given.source, error),
    patches: listOf(given, "patches", error) ?? [],
    buildNeeds: (listOf(given, "build-needs", error) ?? []).map(asFileName),
    needs: listOf(given, "needs", error),
    steps: stepsOf(given.steps, error),
    split: splitOf(given.split, error),
    strip: switchOf(given, "strip", true, error),
    network: switchOf(given, "network", false, error),
    remove: listOf(given, "remove", error) ?? [],
    error,
  };
}

function asFileName(name: string): string {
  return name.endsWith(".tcz") ? name : `${name}.tcz`;
}

function sourceOf(value: unknown, error: Fail): RecipeSource | undefined {
  if (value === undefined) return undefined;
  if (typeof value === "string") return { kind: "path", path: insideOf(value, ["source"], error) };
  const given = recordOf(value);
  if (given === undefined)
    throw error(
      ["source"],
      "a source is a path, or has keys",
      "write source: DIRECTORY, or source: {url: …, sha256: …}",
    );
  refuseUnknown(given, ["path", "url", "sha256", "git", "commit"], ["source"], error);
  const { url, sha256, git, commit } = given;
  if (typeof given.path === "string")
    return { kind: "path", path: insideOf(given.path, ["source", "path"], error) };
  if (typeof url === "string") {
    if (typeof sha256 !== "string" || !/^[0-9a-f]{64}$/.test(sha256))
      throw error(
        ["source", "sha256"],
        "a download needs its sha256 of 64 digits",
        "write sha256: as sha256sum prints it, in quotes",
      );
    return { kind: "url", url, sha256 };
  }
  if (typeof git === "string") {
    if (typeof commit !== "string" || !/^[0-9a-f]{40}$/.test(commit))
      throw error(
        ["source", "commit"],
        "a git source needs a commit of 40 digits",
        "write commit: as git rev-parse prints it, in quotes",
      );
    return { kind: "git", url: git, commit };
  }
  throw error(["source"], "the source has neither path, url nor git", "write one of them");
}

/** A path below the extension's directory. */
function insideOf(path: string, place: readonly string[], error: Fail): string {
  if (path !== "" && !path.startsWith("/") && !/(^|\/)\.\.(\/|$)/.test(path))
    return path.replace(/^(\.\/)+/, "");
  throw error(place, "the path leads out of the extension's directory", "put the files into it");
}

function stepsOf(value: unknown, error: Fail): Recipe["steps"] {
  const given = recordOf(value ?? {});
  if (given === undefined) throw error(["steps"], '"steps" must have keys', `keys: ${stepNames.join(", ")}`);
  refuseUnknown(given, stepNames, ["steps"], error);
  for (const [name, text] of Object.entries(given))
    if (typeof text !== "string")
      throw error(
        ["steps", name],
        `the step ${name} must be a text for the shell`,
        "write it behind a bar: |",
      );
  return given as Recipe["steps"];
}

function splitOf(value: unknown, error: Fail): Recipe["split"] {
  const given = recordOf(value ?? {});
  if (given === undefined)
    throw error(["split"], '"split" must have the names of parts', "write PART: [PATTERN]");
  for (const part of Object.keys(given))
    if (!partForm.test(part))
      throw error(
        ["split", part],
        "the name of a part has lower-case letters and digits",
        "write such as dev or doc",
      );
  return new Map(Object.keys(given).map((part) => [part, listOf(given, part, error, ["split"]) ?? []]));
}

function switchOf(given: Fields, key: string, otherwise: boolean, error: Fail): boolean {
  const value = given[key] ?? otherwise;
  if (typeof value === "boolean") return value;
  throw error([key], `"${key}" must be true or false`, "write true or false");
}

function listOf(
  given: Fields,
  key: string,
  error: Fail,
  above: readonly string[] = [],
): readonly string[] | undefined {
  const value = given[key];
  if (value === undefined) return undefined;
  if (Array.isArray(value) && value.every((one) => typeof one === "string")) return value;
  throw error([...above, key], `"${key}" must be a list of texts`, "write [ONE, ANOTHER]");
}

function recordOf(value: unknown): Fields | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : undefined;
}

function refuseUnknown(given: Fields, known: readonly string[], place: readonly string[], error: Fail): void {
  for (const key of Object.keys(given))
    if (!known.includes(key))
      throw error(
        [...place, key],
        `"${key}" is not a key of recipes`,
        didYouMean(key, known) ?? `known keys: ${known.join(", ")}`,
      );
}
