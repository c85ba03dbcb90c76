/**
 * The options of the pipeline, declared once. The command line, the configuration file and the environment are made
 * from these; the old script's names are kept.
 */
import path from "node:path";
import { pathToFileURL } from "node:url";
import { type Parameter, type ParameterHost, param, type Secret } from "../../src/engine/index.ts";
import { UsageError, UserError } from "../../src/errors/index.ts";
import { publicUrl } from "../../src/fetch/index.ts";
import { type BundleFacts, readBundleFacts } from "./bundle-facts.ts";
import { sourceDateEpoch } from "./epoch.ts";
import { describeVersion, isVersion } from "./git-version.ts";
import { findInOldProject } from "./old-project.ts";

/** Which part of the lists and of the sources file is used. */
export const source: Parameter<string> = param.choice({
  name: "source",
  description:
    "where everything comes from: tinycore, sample, another name of lists/sources.yaml, a mirror's URL or folder",
  value: "SOURCE",
  env: "MK_BUNDLE_SOURCE",
  choices: ["tinycore", "sample"],
  open: true,
  recorded: publicUrl,
  default: "tinycore",
});

const ownOverlay = "overlay-src";

/** The image's files: a folder laid out as its root, or somebody's project with the layout of the old scripts. */
export const overlayFolder: Parameter<string> = param.path({
  name: "overlay",
  env: "MK_BUNDLE_OVERLAY",
  description: "folder with the image's files, or a project of the old scripts (default: overlay-src)",
  value: "DIR",
  default: ownOverlay,
});

/** A file of the old project that is built, where it has one; else one of this project. */
const fileOf =
  (inOldProject: string, otherwise: string) =>
  async (host: ParameterHost): Promise<string> => {
    const named = await host.value(overlayFolder);
    if (named === ownOverlay) return otherwise;
    // A project's layout shows in more than one place.
    host.lookedAt("overlay project", async () => undefined);
    const folder = path.resolve(host.root, named);
    return findInOldProject(folder, inOldProject) ?? otherwise;
  };

const listOption = (options: {
  readonly name: string;
  readonly short?: string;
  readonly env: string;
  readonly description: string;
  readonly list: string;
  readonly inOldProject: string;
}): Parameter<string> =>
  param.path({
    ...options,
    description: `${options.description} (default: ${options.list})`,
    value: "FILE",
    default: fileOf(options.inOldProject, options.list),
  });

export const builtinList = listOption({
  name: "builtin-list",
  short: "b",
  env: "MK_BUNDLE_BUILTIN_LIST",
  description: "extensions that are loaded at boot",
  list: "lists/builtin-extensions.lst",
  inOldProject: "additional-build-files/builtin-extensions.lst",
});
export const mirrorList = listOption({
  name: "mirror-list",
  short: "m",
  env: "MK_BUNDLE_MIRROR_LIST",
  description: "extensions that the image's own mirror offers",
  list: "lists/mirror-extensions.lst",
  inOldProject: "additional-build-files/mirror-extensions.lst",
});
export const gemList = listOption({
  name: "gem-list",
  env: "MK_BUNDLE_GEM_LIST",
  description: "gems that the image installs at boot",
  list: "lists/gem.list",
  inOldProject: "opt/gems/gem.list",
});
export const utilLinuxList = listOption({
  name: "util-linux-list",
  env: "MK_BUNDLE_UTIL_LINUX_LIST",
  description: "files to take out of util-linux.tcz",
  list: "lists/util-linux-exec.lst",
  inOldProject: "additional-build-files/util-linux-exec.lst",
});

/** Setup tarballs of an old project, which take the place of ours. Elsewhere this folder does not exist. */
export const setupFolder: Parameter<string> = param.derived({
  name: "setup-folder",
  description: "folder with setup tarballs",
  default: async (host) => path.join(await host.value(overlayFolder), "additional-build-files"),
});

/** Password of variants that have one, unless the user says another; documented in the README. */
const defaultPassword = "test1234";

export const tcPassword: Parameter<Secret | undefined> = param.secret({
  name: "tc-passwd",
  short: "t",
  env: "MK_BUNDLE_TC_PASSWD",
  description: `password of the user tc, in dev and debug images (default: ${defaultPassword}); -: asks for it`,
  value: "PASSWORD",
  default: (host) => {
    host.note(
      `the user tc has the default password, ${defaultPassword}; choose another with --tc-passwd-file or -t`,
    );
    return undefined;
  },
  accept: (text) => {
    if (text === "" || /[\0\r\n]/.test(text)) {
      throw new UsageError("the password is empty or has a line break", {
        code: "password-invalid",
        hint: "write it on one line",
      });
    }
  },
  check: (variant) => {
    if (variant !== "prod") return;
    throw new UsageError("a production image has no password: its user tc is locked, and nobody can log in", {
      code: "password-in-prod",
      hint: "leave out -t/--tc-passwd, or build a dev or debug image",
    });
  },
});

/** How the password is hashed. The old scripts' md5crypt is for bases whose login knows nothing newer. */
export const passwordHash: Parameter<string> = param.choice({
  name: "passwd-hash",
  env: "MK_BUNDLE_PASSWD_HASH",
  description: "how tc's password is hashed: sha512 (default), or md5 for a Core that knows nothing newer",
  value: "KIND",
  choices: ["sha512", "md5"],
  default: "sha512",
  parse: (text, host) => {
    if (text === "md5") {
      host.note(
        "--passwd-hash md5: such a hash is found out in little time; use it only where sha512 does not work",
      );
    }
    return text;
  },
});

/** The password to use: the documented default unless one was given. */
export function passwordOrDefault(given: Secret | undefined): string {
  return given?.reveal() ?? defaultPassword;
}

const urlOption = (
  name: string,
  env: string,
  description: string,
  byDefault: (host: ParameterHost) => Promise<string | undefined> = async () => undefined,
): Parameter<string | undefined> => ({
  ...param.optional({
    name,
    env,
    description,
    value: "URL",
    recorded: (url) => (url === undefined ? url : publicUrl(url)),
  }),
  default: byDefault,
});

export const mirrorUri = urlOption(
  "tcl-mirror-uri",
  "MK_BUNDLE_TCL_MIRROR_URI",
  "Tiny Core mirror instead of the source's",
);
export const isoUrl = urlOption("tcl-iso-url", "MK_BUNDLE_TCL_ISO_URL", "Core ISO instead of the mirror's");
export const gemServerUri = urlOption(
  "gem-server-uri",
  "MK_BUNDLE_GEM_SERVER_URI",
  "gem server instead of the source's",
);
export const rubyGemsUrl = urlOption("ruby-gems-url", "MK_BUNDLE_RUBY_GEMS_URL", "RubyGems tarball, or none");
export const mcollectiveUrl = urlOption(
  "mcollective-url",
  "MK_BUNDLE_MCOLLECTIVE_URL",
  "MCollective tarball, or none",
);
export const openVmToolsUrl = urlOption(
  "open-vm-tools-url",
  "MK_BUNDLE_OPEN_VM_TOOLS_URL",
  "open-vm-tools tarball, or none",
  async (host) => {
    const own = await fileOf("additional-build-files/mk-open-vm-tools.tar.gz", "")(host);
    return own === "" ? undefined : pathToFileURL(own).href;
  },
);

const mcollectiveSecret = (what: string): Parameter<Secret | undefined> =>
  param.secret({
    name: `mcollective-${what}`,
    env: `MK_BUNDLE_MCOLLECTIVE_${what.toUpperCase()}`,
    description: `${what} of the MCollective daemon, for its server.cfg`,
    value: "TEXT",
    default: undefined,
    accept: (text) => {
      if (!/^[\x21-\x7e]+$/.test(text)) {
        throw new UsageError(`the MCollective ${what} is empty or has blanks or control characters`, {
          code: "mcollective-secret",
          hint: "write it in printable ASCII, without blanks",
        });
      }
    },
  });

export const mcollectivePassword = mcollectiveSecret("password");
export const mcollectivePsk = mcollectiveSecret("psk");

/** What is pinned; the sample source's packages move with the distribution, so its lock stays in the cache. */
export const lockFile: Parameter<string> = param.path({
  name: "lock",
  description: "what is pinned (default: lists/sources.lock.json)",
  value: "FILE",
  default: async (host) =>
    (await host.value(source)) === "sample" ? ".buildcache/sample.lock.json" : "lists/sources.lock.json",
});

export const frozen: Parameter<boolean> = param.switch({
  name: "frozen",
  description: "fail instead of pinning what is not in the lock (default when CI is set)",
  fingerprinted: false,
  default: (host) => host.env.CI !== undefined && host.env.CI !== "" && host.env.CI !== "false",
});

export const offline: Parameter<boolean> = param.switch({
  name: "offline",
  description: "open no network connection; list all that is missing",
  fingerprinted: false,
  default: false,
});

/** Empty: the ISO is made of what the other steps make. */
export const bundleFile: Parameter<string> = param.path({
  name: "bundle",
  description: "with rebuild-iso: make the ISO of this bundle, also one of the old scripts",
  value: "FILE",
  default: "",
});

const bundleFacts: Parameter<BundleFacts | undefined> = param.derived({
  name: "bundle-facts",
  description: "what the bundle says of itself",
  default: async (host) => {
    const file = await host.value(bundleFile);
    if (file === "") return undefined;
    host.lookedAt("bundle", async () => [file]);
    return await readBundleFacts(file);
  },
});

/** The variant that an image is called by: the bundle's own, where it is made of one. */
export const imageVariant: Parameter<string> = param.derived({
  name: "image-variant",
  description: "variant in the image's name",
  default: async (host) => {
    const variant = (await host.value(bundleFacts))?.variant ?? host.variant;
    if (variant === host.variant || host.variant === "dev") return variant;
    throw new UsageError(`the bundle is a ${variant} bundle, and a ${host.variant} image is asked for`, {
      code: "bundle-variant",
      hint: `leave out --${host.variant}, or name another bundle`,
    });
  },
});

export const isoVersion: Parameter<string> = param.text({
  name: "iso-version",
  description: "version of the image (default: from git describe)",
  value: "VERSION",
  env: "MK_BUNDLE_ISO_VERSION",
  default: async (host) => {
    const facts = await host.value(bundleFacts);
    if (facts === undefined) return await describeVersion(host, await host.value(overlayFolder));
    if (facts.version !== undefined) return facts.version;
    throw new UserError("the bundle does not say which version it is of", {
      code: "version-unknown",
      where: await host.value(bundleFile),
      hint: "name one with --iso-version, e.g. --iso-version 0.9.3",
    });
  },
  parse: (text) => {
    if (!isVersion(text)) {
      throw new UsageError(
        `"${text}" cannot be a version: it becomes part of a file name and of the volume's name`,
        {
          code: "version-invalid",
          hint: "use letters, digits and . + _ ~ -, 64 characters at most, e.g. 0.9.3.1",
        },
      );
    }
    return text;
  },
});

/** Seconds since 1970: the time of everything in an image. */
export const epoch: Parameter<string> = param.text({
  name: "source-date-epoch",
  description: "time of everything in the image, in seconds since 1970 (default: that of the commit)",
  value: "SECONDS",
  env: "SOURCE_DATE_EPOCH",
  default: async (host: ParameterHost) => {
    const facts = await host.value(bundleFacts);
    return facts === undefined ? await sourceDateEpoch(host) : String(facts.epoch);
  },
  parse: (text) => {
    if (!/^\d{1,10}$/.test(text)) {
      throw new UsageError(`SOURCE_DATE_EPOCH is "${text}", but must be a number of seconds since 1970`, {
        code: "epoch-invalid",
        hint: "write it as `date +%s` prints it",
      });
    }
    return text;
  },
});

/** Which firmware an ISO starts from. `auto` is for machines and bases that have no way to UEFI. */
export const firmware: Parameter<string> = param.choice({
  name: "firmware",
  description:
    "what the ISO starts from: bios; both (BIOS and UEFI, or fail); auto, UEFI too where it can be had (default)",
  value: "FIRMWARE",
  env: "MK_BUNDLE_FIRMWARE",
  choices: ["auto", "bios", "both"],
  default: "auto",
});

export const pxeWanted: Parameter<boolean> = param.switch({
  name: "pxe",
  description:
    "with iso: also what a network boot needs, kernel, initrd and an iPXE script, in a folder of their own",
  fingerprinted: false,
  default: false,
});

/** How small the image's layers are made. */
export const compress: Parameter<string> = param.choice({
  name: "compress",
  description:
    "how small the image is made: fast (default for dev and debug), default (gzip -9), best (advdef, default for prod)",
  value: "EFFORT",
  env: "MK_BUNDLE_COMPRESS",
  choices: ["fast", "default", "best"],
  default: (host) => (host.variant === "prod" ? "best" : "fast"),
});

/** How the initrd is made up. `single` is what tools expect that do not know of layers. */
export const layout: Parameter<string> = param.choice({
  name: "layout",
  description:
    "how the initrd is made up: layered (default; an edit packs what changed), single (one archive, packed anew at each edit)",
  value: "LAYOUT",
  env: "MK_BUNDLE_LAYOUT",
  choices: ["layered", "single"],
  default: "layered",
});

export const devKeys: Parameter<string> = param.path({
  name: "dev-keys",
  description:
    "folder with the host keys and the salt of dev and debug images (default: dev-keys, made when absent)",
  value: "DIR",
  default: "dev-keys",
});

export const all: Parameter<boolean> = param.switch({
  name: "all",
  description: "with clean: empty the cache too",
  default: false,
});

/** Variables that say how to reach the network; they never change what comes from it. */
export const proxyVariables: readonly string[] = ["http", "https", "no"].flatMap((kind) => [
  `${kind}_proxy`,
  `${kind.toUpperCase()}_PROXY`,
]);
