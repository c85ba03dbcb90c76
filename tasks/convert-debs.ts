/**
 * The packages of the distribution that a list names, fetched with its own package tool and made into extensions.
 * Needed only when a list names one.
 */

import { mkdir, readFile, symlink } from "node:fs/promises";
import path from "node:path";
import { file, out, task } from "../src/engine/index.ts";
import { systemErrorCode, UserError } from "../src/errors/index.ts";
import {
  entryOf,
  fillKernel,
  type LockEntry,
  parseExtensionList,
  refuseUnpinned,
} from "../src/fetch/index.ts";
import { type DebControl, printName, readDebControl } from "../src/formats/index.ts";
import { makeDebExtension } from "./debian/deb-extension.ts";
import { checkPin, fetchPackages, packageLine, type WantedPackage } from "./debian/distribution-packages.ts";
import { resolvePackages } from "./debian/package-resolution.ts";
import { describePackageSet, type SetMember } from "./debian/package-set.ts";
import { programsIn } from "./debian/present-packages.ts";
import { findUnworkable } from "./debian/unworkable-parts.ts";
import { fetchIso } from "./fetch-iso.ts";
import { readCoreFacts } from "./image/core-facts.ts";
import { readListing } from "./image/tree-listing.ts";
import { limitParams, limitsOf } from "./settings/limit-options.ts";
import { builtinList, mirrorList } from "./settings/project-options.ts";
import { proxyVariables } from "./settings/proxy-variables.ts";
import { shownPath } from "./settings/shown-path.ts";
import { kindOf } from "./source/kinds/index.ts";
import { lockInput, readPins, writePins } from "./source/source-lock.ts";
import { frozen, offline, settingNames, source } from "./source/source-options.ts";

/** Variables that name another configuration for apt than the system's. */
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
    const listed = await readPackages([inputs.builtin, inputs.mirror], kernelRelease);
    const architecture = debianArchitecture(initrd);
    const core = await readListing(needs.iso.listing);
    const isBinding = kindOf(params.source).lock.pins === "binding";
    const isFrozen = params.frozen && isBinding;
    const pins = readPins(inputs.lock, params.source);
    const work = path.join(scratch, "packages");
    await mkdir(work);
    /** The package's file under its own name, which messages show. */
    const fileOf = async (name: string, sha256: string): Promise<string> => {
      const deb = path.join(work, name);
      await symlink(blobs.pathOf(sha256), deb).catch((error: unknown) => {
        if (systemErrorCode(error) !== "EEXIST") throw error;
      });
      return deb;
    };
    const known = (one: WantedPackage): LockEntry | undefined => {
      const pin = entryOf(pins, one.file);
      return pin !== undefined && blobs.has(pin.sha256) ? pin : undefined;
    };
    const { members, unmet, offered, forbidden } = await resolvePackages({
      ...{ $, listed, pins, isBinding, core, architecture },
      atHand: {
        find: known,
        read: async ({ file: name, where }, { sha256 }) => {
          const options = { ...limitsOf(params), label: `${where}: ${name}` };
          return await readDebControl($, await fileOf(name, sha256), options);
        },
      },
      mayFetch: (one) => !params.offline && (!isFrozen || entryOf(pins, one.file) !== undefined),
    });
    if (params.offline) refuseUnpinned(forbidden, "offline", settingNames);
    refuseUnpinned(forbidden, "frozen", settingNames);

    for (const one of offered) {
      const pin = entryOf(pins, one.file);
      if (pin !== undefined && isBinding) checkPin(one, pin);
    }
    const fetched = await fetchPackages($, offered, path.join(scratch, "downloads"), signal);
    for (const one of offered) await blobs.adopt(fetched.get(one.file) ?? "", one.sha256);
    const lines = new Map(offered.map((one) => [one.file, packageLine(one)]));
    writePins(inputs.lock, params.source, lines);
    for (const message of describePackageSet({ members, unmet })) note(message);

    const controls = new Map<SetMember, DebControl>();
    const paths = new Set(core.paths());
    for (const one of members) {
      const { file: name, where } = one;
      const line = lines.get(name) ?? entryOf(pins, name);
      if (line === undefined) throw new Error(`${name} was not fetched`);
      const made = await makeDebExtension($, {
        name: one.name,
        deb: await fileOf(name, line.sha256),
        scratch: path.join(scratch, "tree"),
        outDir: outputs.extensions,
        depends: one.depends,
        architecture,
        where,
        limits: limitsOf(params),
      });
      if (made.stripped.length > 0)
        note(`${name}: runs without set-id bits: ${made.stripped.map(printName).join(", ")}`);
      controls.set(one, made.control);
      for (const entry of made.paths) paths.add(entry);
    }
    const programs = programsIn(paths);
    for (const [{ file: name, where }, control] of controls) {
      const found = findUnworkable(control, programs, (entry) => paths.has(entry));
      if (found.length > 0) note(`${where}: ${name}: ${found.join("; ")}`);
    }
  },
});

/** What Debian calls the architecture of a Core ISO, by the name of its initrd. */
export function debianArchitecture(initrd: string): "amd64" | "i386" {
  return initrd === "corepure64.gz" ? "amd64" : "i386";
}

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
