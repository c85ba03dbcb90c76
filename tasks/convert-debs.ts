/**
 * The packages of the distribution that a list names, fetched with its own package tool and made into extensions.
 * Needed only when a list names one.
 */

import { mkdir, readFile, symlink } from "node:fs/promises";
import path from "node:path";
import { file, out, task } from "../src/engine/index.ts";
import { UserError } from "../src/errors/index.ts";
import {
  entryOf,
  fillKernel,
  type LockEntry,
  parseExtensionList,
  refuseUnpinned,
  type SourceLock,
} from "../src/fetch/index.ts";
import { printName } from "../src/formats/index.ts";
import { makeDebExtension } from "./debian/deb-extension.ts";
import {
  checkPin,
  fetchPackages,
  findPackages,
  packageLine,
  type WantedPackage,
} from "./debian/distribution-packages.ts";
import { fetchIso } from "./fetch-iso.ts";
import { readCoreFacts } from "./image/core-facts.ts";
import { limitParams, limitsOf } from "./settings/limit-options.ts";
import { builtinList, mirrorList } from "./settings/project-options.ts";
import { proxyVariables } from "./settings/proxy-variables.ts";
import { shownPath } from "./settings/shown-path.ts";
import { kindOf } from "./source/kinds/index.ts";
import { lockInput, readPins, writePins } from "./source/source-lock.ts";
import { frozen, offline, settingNames, source } from "./source/source-options.ts";

/** Variables with which apt is told of another configuration than the system's. */
export const aptVariables = ["APT_CONFIG"] as const;
export const aptTools = ["apt-cache", "apt-get"] as const;

/** Whether the text of a list names a package. */
export function namesPackages(text: string): boolean {
  return /^\s*[^#\s]\S*\.deb\s*(#.*)?$/m.test(text);
}

/** Only the lines with packages: another extension in the list converts nothing again. */
const packageLines = (text: string): string =>
  text
    .split(/\r\n|\n|\r/)
    .filter(namesPackages)
    .map((line) => `${line}\n`)
    .join("");

export const convertDebs = task({
  name: "convert-debs",
  description: "Make extensions from the listed packages of the distribution",
  internal: true,
  variants: "shared",
  needs: { iso: fetchIso },
  inputs: {
    builtin: file(builtinList, { select: packageLines }),
    mirror: file(mirrorList, { select: packageLines }),
    lock: lockInput((name) => name.endsWith(".deb")),
  },
  params: { source, frozen, offline, ...limitParams },
  tools: [...aptTools, "dpkg-deb", "mksquashfs"],
  env: aptVariables,
  passEnv: proxyVariables,
  pool: "network",
  outputs: {
    /** `NAME.tcz` with what stands beside it on a mirror. */
    extensions: out.directory("extensions"),
  },
  async run({ $, needs, inputs, outputs, params, scratch, blobs, signal, note }) {
    const { initrd, kernelRelease } = await readCoreFacts(needs.iso.core);
    const wanted = await readPackages([inputs.builtin, inputs.mirror], kernelRelease);
    const isBinding = kindOf(params.source).lock.pins === "binding";
    const pins = readPins(inputs.lock, params.source);
    const known = (one: WantedPackage): LockEntry | undefined => {
      const pin = entryOf(pins, one.file);
      return pin !== undefined && blobs.has(pin.sha256) ? pin : undefined;
    };
    const missing = wanted.filter((one) => known(one) === undefined);
    refuseMissing(missing, pins, { ...params, frozen: params.frozen && isBinding });

    const offered = await findPackages($, missing, isBinding ? pins : new Map());
    for (const one of offered) {
      const pin = entryOf(pins, one.file);
      if (pin !== undefined && isBinding) checkPin(one, pin);
    }
    const fetched = await fetchPackages($, offered, path.join(scratch, "downloads"), signal);
    for (const one of offered) await blobs.adopt(fetched.get(one.file) ?? "", one.sha256);
    const lines = new Map(offered.map((one) => [one.file, packageLine(one)]));
    writePins(inputs.lock, params.source, lines);

    const work = path.join(scratch, "packages");
    await mkdir(work);
    const listed = new Set(wanted.map(({ name }) => name));
    for (const { file: name, name: extension, where } of wanted) {
      const line = lines.get(name) ?? entryOf(pins, name);
      if (line === undefined) throw new Error(`${name} was not fetched`);
      const deb = path.join(work, name);
      await symlink(blobs.pathOf(line.sha256), deb);
      const tree = path.join(scratch, "tree");
      const stripped = await makeDebExtension($, {
        name: extension,
        deb,
        scratch: tree,
        outDir: outputs.extensions,
        listed,
        architecture: initrd === "corepure64.gz" ? "amd64" : "i386",
        where,
        limits: limitsOf(params),
      });
      if (stripped.length > 0)
        note(`${name}: runs without set-id bits: ${stripped.map(printName).join(", ")}`);
    }
  },
});

/** The packages of the lists at these absolute paths, each once. */
export async function readPackages(
  lists: readonly string[],
  kernel: string,
): Promise<readonly WantedPackage[]> {
  const wanted = new Map<string, WantedPackage>();
  for (const list of lists) {
    const { entries } = parseExtensionList(await readFile(list, "utf8"), shownPath(list));
    for (const entry of entries) {
      if (entry.kind !== "deb") continue;
      const name = fillKernel(entry.name, kernel, entry.where);
      if (!wanted.has(name))
        wanted.set(name, { file: name, name: packageName(name, entry.where), where: entry.where });
    }
  }
  return [...wanted.values()];
}

/** deb-control(5), Package: lower-case letters, digits, plus, minus and points. */
function packageName(file: string, where: string): string {
  const name = file.replace(/\.deb$/, "");
  if (/^[a-z0-9][a-z0-9+.-]+$/.test(name)) return name;
  throw new UserError(`"${name}" is not a valid package name`, {
    code: "bad-package-name",
    where,
    hint: "write the package's name and .deb, without version and architecture: hello.deb",
  });
}

function refuseMissing(
  missing: readonly WantedPackage[],
  pins: SourceLock,
  params: { readonly frozen: boolean; readonly offline: boolean },
): void {
  const named = (list: readonly WantedPackage[]) => list.map(({ file: name, where }) => ({ name, where }));
  if (params.offline) refuseUnpinned(named(missing), "offline", settingNames);
  if (params.frozen) {
    refuseUnpinned(
      named(missing.filter((one) => entryOf(pins, one.file) === undefined)),
      "frozen",
      settingNames,
    );
  }
}
