/**
 * The grammar of `ezremaster.cfg`, the file that drives Tiny Core's ezremaster: one setting per line, `KEY = VALUE`, with the key in
 * the first column and exactly one blank on both sides of the equals sign. Users write prose between the lines.
 *
 * Keys: as the public configurations of ezremaster users have them. Only `mydata` is inferred from a single one.
 */
import { UserError } from "../../src/errors/index.ts";

/** A value, and the line that has it: `ezremaster.cfg:3`. */
export interface Located {
  readonly value: string;
  readonly where: string;
}

/** Where an extension goes: into `cde/` of the ISO, into `/tmp/builtin` of the initrd, or unpacked into the initrd. */
const extensionPlaces = [
  "cdeOnboot",
  "cdeOndemand",
  "builtinOnboot",
  "builtinOndemand",
  "extracted",
] as const;
export type ExtensionPlace = (typeof extensionPlaces)[number];

export type PlacedNames = Readonly<Record<ExtensionPlace, readonly Located[]>>;

export interface RemasterConfig {
  readonly cdLocation: Located | undefined;
  readonly bootCodes: readonly string[];
  readonly extensions: PlacedNames;
  /** The value of `extract_tcz_script`. */
  readonly scripts: Located | undefined;
  readonly copyToFileSystem: boolean;
  readonly mydata: Located | undefined;
  /** Sentences about lines without effect. */
  readonly notes: readonly string[];
}

const placeOfKey: Readonly<Record<string, ExtensionPlace>> = {
  app_outside_initrd_onboot: "cdeOnboot",
  app_outside_initrd_ondemand: "cdeOndemand",
  app_outside_initrd: "cdeOndemand",
  app_inside_initrd_onboot: "builtinOnboot",
  app_inside_initrd_ondemand: "builtinOndemand",
  app_extract_initrd: "extracted",
};

/** Keys with one value in a file. */
const singleKeys = ["cd_location", "temp_dir", "extract_tcz_script", "mydata"] as const;
const flag = "copy2fs.flg";
const knownKeys: readonly string[] = [...singleKeys, "cc", ...Object.keys(placeOfKey)];

/** Whether a text is an `ezremaster.cfg`: whether one of its lines is a setting. */
export function isRemasterConfig(text: string): boolean {
  return linesOf(text).some((line) => line === flag || knownKeys.includes(settingOf(line)?.key ?? ""));
}

/**
 * Reads the text of the file that messages call `file`.
 * @throws UserError `remaster-config` for a key with one value that has two, or for one without a value
 */
export function parseRemasterConfig(text: string, file: string): RemasterConfig {
  const single = new Map<string, Located>();
  const bootCodes: string[] = [];
  const extensions = emptyPlaces();
  const notes: string[] = [];
  let copyToFileSystem = false;
  for (const [index, line] of linesOf(text).entries()) {
    const where = `${file}:${index + 1}`;
    if (line.trimEnd() === flag) copyToFileSystem = true;
    const setting = settingOf(line);
    if (setting === undefined) {
      const key = misspelled(line);
      if (key !== undefined)
        notes.push(`${where}: the line has no effect: write "${key} = VALUE" from the first column on`);
      continue;
    }
    const { key, value } = setting;
    const place = placeOfKey[key];
    if (!knownKeys.includes(key)) notes.push(`${where}: unknown key "${key}"; the line has no effect`);
    else if (value === "")
      throw configError(`"${key}" has no value`, where, "write the value, or remove the line");
    else if (key === "cc") bootCodes.push(...value.split(/[ \t]+/));
    else if (place !== undefined) extensions[place].push({ value, where });
    else {
      const first = single.get(key);
      if (first !== undefined)
        throw configError(
          `"${key}" is set twice: also at ${first.where}`,
          where,
          "remove one of the two lines",
        );
      single.set(key, { value, where });
    }
  }
  const temporary = single.get("temp_dir");
  if (temporary !== undefined)
    notes.push(`${temporary.where}: temp_dir is not used: intermediate results are in the cache`);
  return {
    cdLocation: single.get("cd_location"),
    bootCodes,
    extensions,
    scripts: single.get("extract_tcz_script"),
    copyToFileSystem,
    mydata: single.get("mydata"),
    notes,
  };
}

function emptyPlaces(): Record<ExtensionPlace, Located[]> {
  return { cdeOnboot: [], cdeOndemand: [], builtinOnboot: [], builtinOndemand: [], extracted: [] };
}

function linesOf(text: string): readonly string[] {
  return text.replace(/^\uFEFF/, "").split(/\r\n|\n|\r/);
}

function settingOf(line: string): { readonly key: string; readonly value: string } | undefined {
  const [, key, value = ""] = /^([a-z][a-z0-9_]*) =(?: (.*))?$/.exec(line) ?? [];
  return key === undefined ? undefined : { key, value: value.trim() };
}

/** The known key of a line that is almost a setting: indented, or with other blanks around the equals sign. */
function misspelled(line: string): string | undefined {
  const [, key = ""] = /^\s*([a-z][a-z0-9_]*)\s*=/i.exec(line) ?? [];
  return knownKeys.find((known) => known === key.toLowerCase());
}

function configError(message: string, where: string, hint: string): UserError {
  return new UserError(message, { code: "remaster-config", where, hint });
}
