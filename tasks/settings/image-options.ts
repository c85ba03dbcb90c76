/** What an image is: its version and time, what it starts from, how it is packed, and whether it is made of a bundle. */
import { type Parameter, type ParameterHost, param } from "../../src/engine/index.ts";
import { UsageError, UserError } from "../../src/errors/index.ts";
import { type BundleFacts, readBundleFacts } from "./bundle-facts.ts";
import { secondsOf, sourceDateEpoch } from "./epoch.ts";
import { describeVersion } from "./git-version.ts";
import { limitsGiven } from "./limit-options.ts";
import { overlayDirectory } from "./project-options.ts";
import { isVersion } from "./version-form.ts";

/** Empty: the ISO is made of what the other steps make. */
export const bundleFile: Parameter<string> = param.path({
  name: "bundle",
  description: "with rebuild-iso: build the ISO of this bundle, which the old scripts may have made",
  value: "FILE",
  default: "",
});

const bundleFacts: Parameter<BundleFacts | undefined> = param.derived({
  name: "bundle-facts",
  description: "what the bundle says of itself",
  default: async (host) => {
    const file = await host.value(bundleFile);
    if (file === "") return undefined;
    host.dependsOn("bundle", async () => ({ paths: [file], isWhole: true }));
    return await readBundleFacts(file, await limitsGiven((limit) => host.value(limit)));
  },
});

/** The variant that an image is called by: the bundle's own, where it is made of one. */
export const imageVariant: Parameter<string> = param.derived({
  name: "image-variant",
  description: "variant in the image's name",
  default: async (host) => {
    const facts = await host.value(bundleFacts);
    if (facts !== undefined && facts.variant === undefined && host.variant === "dev") {
      throw new UserError("the bundle does not tell its variant, and might overwrite the dev image", {
        code: "bundle-variant-unknown",
        where: await host.value(bundleFile),
        hint: "name the file razor-microkernel-bundle-VARIANT.tar.gz, where VARIANT is dev, prod or debug",
      });
    }
    const variant = facts?.variant ?? host.variant;
    if (variant === host.variant || host.variant === "dev") return variant;
    throw new UsageError(`the bundle is for ${variant} images, but a ${host.variant} image is requested`, {
      code: "bundle-variant",
      hint: `omit --${host.variant}, or name another bundle`,
    });
  },
});

/** A version as it is given by option; throws a `UsageError` for what cannot be one. */
export function versionGiven(text: string): string {
  if (isVersion(text)) return text;
  throw new UsageError(`"${text}" is not a valid version: it becomes part of a file name and the volume id`, {
    code: "version-invalid",
    hint: "use at most 64 letters, digits and . + _ ~ -, e.g. 0.9.3.1",
  });
}

export const isoVersion: Parameter<string> = param.text({
  name: "iso-version",
  description: "version of the image (default: from VERSION, or git describe)",
  value: "VERSION",
  env: "MK_BUNDLE_ISO_VERSION",
  tools: ["git"],
  default: async (host) => {
    const facts = await host.value(bundleFacts);
    if (facts === undefined) return await describeVersion(host, await host.value(overlayDirectory));
    if (facts.version !== undefined) return facts.version;
    throw new UserError("the bundle does not contain its version", {
      code: "version-unknown",
      where: await host.value(bundleFile),
      hint: "set it with --iso-version, e.g. --iso-version 0.9.3",
    });
  },
  parse: versionGiven,
});

/** Seconds since 1970: the time of everything that carries the version. Fetched files have their own times. */
export const epoch: Parameter<string> = param.text({
  name: "source-date-epoch",
  description: "time of the image's own files in seconds since 1970 (default: of the commit)",
  value: "SECONDS",
  env: "SOURCE_DATE_EPOCH",
  default: async (host: ParameterHost) => {
    const facts = await host.value(bundleFacts);
    return facts === undefined
      ? await sourceDateEpoch(host, await host.value(overlayDirectory))
      : String(facts.epoch);
  },
  parse: (text) => {
    const seconds = secondsOf(text);
    if (seconds === undefined) {
      throw new UsageError(`"${text}" is not a time: it must be a number of seconds from 1970 to 2106`, {
        code: "epoch-invalid",
        hint: "write it as `date +%s` prints it, at most 4294967295",
      });
    }
    return String(seconds);
  },
});

/** Which firmware an ISO starts from. `auto` is for machines and bases that have no way to UEFI. */
export const firmware: Parameter<string> = param.choice({
  name: "firmware",
  description:
    "firmware that boots the ISO: bios; both (BIOS and UEFI, or fail); auto (default; UEFI if possible); with boot: bios or uefi",
  value: "FIRMWARE",
  env: "MK_BUNDLE_FIRMWARE",
  choices: ["auto", "bios", "both", "uefi"],
  default: "auto",
});

/** Whether who starts the image may add boot codes. A bundle's image is as the bundle says. */
export const bootMenu: Parameter<string> = param.choice({
  name: "boot-menu",
  description:
    "boot menu: open (default for dev and debug; takes boot codes), closed (default for prod; labels start as they are)",
  value: "MENU",
  env: "MK_BUNDLE_BOOT_MENU",
  choices: ["open", "closed"],
  default: async (host) => {
    const facts = await host.value(bundleFacts);
    return facts?.bootMenu ?? ((facts?.variant ?? host.variant) === "prod" ? "closed" : "open");
  },
});

export const pxeWanted: Parameter<boolean> = param.switch({
  name: "pxe",
  description: "with iso: also make a directory with kernel, initrd and iPXE script for network boot",
  fingerprinted: false,
  default: false,
});

export const sbomWanted: Parameter<boolean> = param.switch({
  name: "sbom",
  description: "with iso or remaster: also write bills of materials beside the ISO, as CycloneDX and SPDX",
  fingerprinted: false,
  default: false,
});

export const ociWanted: Parameter<boolean> = param.switch({
  name: "oci",
  description: "with template: also make an OCI image layout",
  fingerprinted: false,
  default: false,
});

/** How small the image's layers are made. */
export const compress: Parameter<string> = param.choice({
  name: "compress",
  description:
    "compression: fast (default for dev and debug), default (gzip -9), best (libdeflate; default for prod)",
  value: "EFFORT",
  env: "MK_BUNDLE_COMPRESS",
  choices: ["fast", "default", "best"],
  default: (host) => (host.variant === "prod" ? "best" : "fast"),
});

/** How the initrd is made up. `single` is what tools expect that do not know of layers. */
export const layout: Parameter<string> = param.choice({
  name: "layout",
  description:
    "layout of the initrd: layered (default; an edit packs what changed), single (one archive, packed on every edit)",
  value: "LAYOUT",
  env: "MK_BUNDLE_LAYOUT",
  choices: ["layered", "single"],
  default: "layered",
});
