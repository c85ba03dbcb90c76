/** What a remastered Core is made of: the options of `task remaster`, and their values in an `ezremaster.cfg`. */
import { readFileSync, statSync } from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { type Parameter, type ParameterHost, param } from "../../src/engine/index.ts";
import { systemErrorCode, systemReason, UserError } from "../../src/errors/index.ts";
import {
  type Located,
  type PlacedNames,
  parseRemasterConfig,
  type RemasterConfig,
} from "./ezremaster-file.ts";
import { shownPath } from "./shown-path.ts";

/** The variable that `--config` sets when its file is an `ezremaster.cfg`. */
export const remasterVariable = "MK_BUNDLE_REMASTER_CONFIG";

export const remasterFile: Parameter<string> = param.path({
  name: "remaster-config",
  description: "with remaster: an ezremaster.cfg; --config FILE recognises one, too",
  value: "FILE",
  env: remasterVariable,
  // What it says is in the parameters that are read from it.
  fingerprinted: false,
  default: "",
});

const config: Parameter<RemasterConfig> = param.derived({
  name: "remaster-settings",
  description: "settings of the ezremaster.cfg",
  default: async (host) => {
    const given = await host.value(remasterFile);
    if (given === "") return parseRemasterConfig("", "");
    const file = path.resolve(host.root, given);
    host.dependsOn("remaster configuration", async () => ({ paths: [file], isWhole: true }));
    const found = parseRemasterConfig(readConfig(file), shownPath(file));
    for (const note of found.notes) host.note(note);
    return found;
  },
});

function readConfig(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    if (systemErrorCode(cause) === undefined) throw cause;
    throw new UserError(`the configuration cannot be read: ${systemReason(cause)}`, {
      code: "remaster-config",
      where: shownPath(file),
      hint: "check the name and the permissions of the file",
      cause,
    });
  }
}

/** A file that the configuration names, as an absolute path; relative ones are relative to the configuration's directory. */
async function namedFile(host: ParameterHost, key: string, named: Located): Promise<string> {
  const base = path.dirname(path.resolve(host.root, await host.value(remasterFile)));
  const file = path.resolve(base, named.value);
  host.dependsOn(`remaster ${key}`, async () => ({ paths: [file], isWhole: true }));
  if (statSync(file, { throwIfNoEntry: false })?.isFile() === true) return file;
  throw new UserError(`${key} names no file: ${file}`, {
    code: "remaster-config",
    where: named.where,
    hint: "write the path of an existing file, relative to the configuration or absolute",
  });
}

/** URL of the Core ISO that the configuration names; undefined without one. */
export async function configuredIso(host: ParameterHost): Promise<string | undefined> {
  const { cdLocation } = await host.value(config);
  return cdLocation === undefined
    ? undefined
    : pathToFileURL(await namedFile(host, "cd_location", cdLocation)).href;
}

/** The extensions that the configuration names, by their places. */
export const configuredExtensions: Parameter<PlacedNames> = param.derived({
  name: "remaster-extensions",
  description: "extensions of the ezremaster.cfg",
  default: async (host) => (await host.value(config)).extensions,
});

/** Boot codes, separated by blanks. */
export const bootCodes: Parameter<string> = param.text({
  name: "boot-codes",
  description:
    "with remaster and disk: boot codes for every entry of the boot menus (default: cc of the ezremaster.cfg)",
  value: "CODES",
  env: "MK_BUNDLE_BOOT_CODES",
  default: async (host) => (await host.value(config)).bootCodes.join(" "),
});

/** What happens to the start scripts of extensions that are unpacked into the initrd. */
export const extractScripts: Parameter<string> = param.choice({
  name: "extract-scripts",
  description:
    "with remaster: start scripts of extracted extensions: refuse (default; an extension with one is an error), ignore (extract_tcz_script = ignore)",
  value: "WHAT",
  env: "MK_BUNDLE_EXTRACT_SCRIPTS",
  choices: ["refuse", "ignore"],
  default: async (host) => {
    const { scripts } = await host.value(config);
    return scripts?.value === "ignore" ? "ignore" : "refuse";
  },
});

export const copyToFileSystem: Parameter<boolean> = param.switch({
  name: "copy-extensions",
  description:
    "with remaster: copy the extensions of the CD into memory instead of mounting them (cde/copy2fs.flg)",
  default: async (host) => (await host.value(config)).copyToFileSystem,
});

/** Path of a backup, as `filetool.sh` makes it; relative to the workspace or absolute. */
export const mydata: Parameter<string> = param.path({
  name: "mydata",
  description:
    "with remaster: a backup that becomes cde/mydata.tgz of the ISO (default: mydata.tgz, if it exists)",
  value: "FILE",
  env: "MK_BUNDLE_MYDATA",
  default: async (host) => {
    const named = (await host.value(config)).mydata;
    return named === undefined ? "mydata.tgz" : await namedFile(host, "mydata", named);
  },
});

/** Files laid over the ISO, and over the initrd. */
export const imageOverlay: Parameter<string> = param.path({
  name: "image-overlay",
  description:
    "with remaster: directory with files for the ISO, laid out as its root (default: image-overlay)",
  value: "DIR",
  env: "MK_BUNDLE_IMAGE_OVERLAY",
  default: "image-overlay",
});
export const initrdOverlay: Parameter<string> = param.path({
  name: "initrd-overlay",
  description:
    "with remaster: directory with files for the initrd, laid out as its root (default: initrd-overlay)",
  value: "DIR",
  env: "MK_BUNDLE_INITRD_OVERLAY",
  default: "initrd-overlay",
});
