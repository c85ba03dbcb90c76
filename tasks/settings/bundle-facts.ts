/**
 * What a bundle says of itself before it is unpacked: its version, variant and time. Bundles of the old scripts say
 * less. What is done with a bundle is not known here.
 */
import { existsSync } from "node:fs";
import path from "node:path";
import { UserError } from "../../src/errors/index.ts";
import { readTarballFiles, type TarballEntry, type UnpackLimits } from "../../src/formats/index.ts";
import { secondsOf } from "./epoch.ts";
import { undated } from "./undated.ts";
import { versionForm } from "./version-form.ts";

/** What every bundle has, an old one too. */
export const overlayMember = "dependencies/razor-microkernel-overlay.tar.gz";

/**
 * The tarballs that old bundles unpack over Core's root, in this order.
 * Source: puppetlabs/Razor-Microkernel, iso-build-files/build_initial_directories.sh.
 */
const oldOrder = [
  "mk-open-vm-tools.tar.gz",
  "razor-microkernel-overlay.tar.gz",
  "mcollective-setup-files.tar.gz",
  "ssh-setup-files.tar.gz",
] as const;

export interface BundleFacts {
  /** Undefined in most bundles of the old scripts. */
  readonly version: string | undefined;
  readonly variant: string | undefined;
  /** Undefined in older bundles too. */
  readonly bootMenu: "open" | "closed" | undefined;
  /** Seconds since 1970. */
  readonly epoch: number;
  /** The tarballs in `dependencies/` that an old bundle's scripts unpack, in their order; undefined for a bundle of ours. */
  readonly oldTarballs: readonly string[] | undefined;
}

/** Either of the old scripts unpacks the tarballs. */
const unpackingScripts = ["build_initial_directories.sh", "rebuild_iso.sh"] as const;

/** What tells of the bundle: our own description, the old scripts, and what these take their version from. */
const tellingMembers: ReadonlySet<string> = new Set(["bundle-version", ...unpackingScripts, "gitversion.sh"]);

/** These texts are read whole. */
const largestText = 1024 * 1024;

/** Reads the bundle at `file` (absolute). Throws a `UserError` when it is none, or damaged. */
export async function readBundleFacts(file: string, limits: UnpackLimits = {}): Promise<BundleFacts> {
  if (!existsSync(file)) {
    throw new UserError("the bundle does not exist", {
      code: "bundle-missing",
      where: `--bundle ${file}`,
      hint: "check the name; `task bundle` makes one in build-files/",
    });
  }
  let packed: number | undefined;
  const wanted = ({ path: member, mtime, size }: TarballEntry): boolean => {
    if (member === overlayMember) packed = mtime;
    return tellingMembers.has(member) && size <= largestText;
  };
  const texts = await readTarballFiles(file, wanted, limits);
  if (packed === undefined) {
    throw new UserError(`this is not a bundle: it has no ${overlayMember}`, {
      code: "not-a-bundle",
      where: file,
      hint: "name a razor-microkernel-bundle-….tar.gz",
    });
  }
  const facts = texts.get("bundle-version")?.toString("utf8") ?? "";
  const fact = (name: string): string | undefined => new RegExp(`^${name}=(.+)$`, "m").exec(facts)?.[1];
  return {
    version: acceptable(fact("version") ?? oldVersion(texts.get("gitversion.sh")), versionForm),
    variant: acceptable(fact("variant") ?? oldVariant(file, texts.get("rebuild_iso.sh")), /^[a-z]+$/),
    bootMenu: (["open", "closed"] as const).find((menu) => menu === fact("boot-menu")),
    oldTarballs: texts.has("bundle-version")
      ? undefined
      : unpackedTarballs(unpackingScripts.flatMap((name) => texts.get(name) ?? [])),
    epoch: secondsOf(fact("epoch")) ?? secondsOf(String(packed)) ?? undated,
  };
}

/**
 * The variant of an old bundle: its script assigns the name of the ISO, `ISO_NAME=rz_mk_prod-image`. The script's usage names the
 * development image in every bundle. Where nothing is assigned, or several variants are, the bundle's own name counts.
 */
function oldVariant(file: string, script: Buffer | undefined): string | undefined {
  const assignment = /^\s*ISO_NAME=["']?rz_mk_([a-z]+)-image/gm;
  const assigned = [...(script?.toString("latin1") ?? "").matchAll(assignment)].map(([, variant]) => variant);
  if (new Set(assigned).size === 1) return assigned[0];
  return /^razor-microkernel-bundle-([a-z]+)\./.exec(path.basename(file))?.[1];
}

/** The names of tarballs in the first script that names the overlay's, in the order in which it does. */
function unpackedTarballs(scripts: readonly Buffer[]): readonly string[] {
  for (const script of scripts) {
    const code = script.toString("latin1").replace(/^\s*#.*$/gm, "");
    const names = [...new Set(code.match(/[A-Za-z0-9][\w.+-]*\.(tar\.gz|tgz)/g) ?? [])];
    if (names.includes(path.basename(overlayMember))) return names;
  }
  return oldOrder;
}

/** The version that an old bundle's `gitversion.sh` assigns: `ISO_VERSION=0.12.0`, perhaps in quotes. */
function oldVersion(script: Buffer | undefined): string | undefined {
  const text = script?.toString("latin1") ?? "";
  return /^\s*(?:export\s+)?ISO_VERSION=(["']?)([^\s"'$`;]+)\1\s*$/m.exec(text)?.[2];
}

/** A bundle may come from anywhere: what it says becomes part of a file's name. */
function acceptable(text: string | undefined, form: RegExp): string | undefined {
  return text !== undefined && form.test(text) ? text : undefined;
}
