/**
 * The options of the pipeline, declared once. The command line, the configuration file and the environment are made
 * from these; the old script's names are kept.
 */
import { type Parameter, type ParameterHost, param, type Secret } from "../../src/engine/index.ts";
import { UsageError } from "../../src/errors/index.ts";
import { publicUrl } from "../../src/fetch/index.ts";
import { sourceDateEpoch } from "./epoch.ts";
import { describeVersion } from "./git-version.ts";

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

const listOption = (name: string, short: string, env: string, description: string): Parameter<string> =>
  param.path({
    name,
    short,
    env,
    description,
    value: "FILE",
    default: `lists/${name.replace("-list", "-extensions")}.lst`,
  });

export const builtinList = listOption(
  "builtin-list",
  "b",
  "MK_BUNDLE_BUILTIN_LIST",
  "extensions that are loaded at boot (default: lists/builtin-extensions.lst)",
);
export const mirrorList = listOption(
  "mirror-list",
  "m",
  "MK_BUNDLE_MIRROR_LIST",
  "extensions that the image's own mirror offers (default: lists/mirror-extensions.lst)",
);

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

const urlOption = (name: string, env: string, description: string): Parameter<string | undefined> =>
  param.optional({
    name,
    env,
    description,
    value: "URL",
    recorded: (url) => (url === undefined ? url : publicUrl(url)),
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

export const isoVersion: Parameter<string> = param.text({
  name: "iso-version",
  description: "version of the image (default: from git describe)",
  value: "VERSION",
  env: "MK_BUNDLE_ISO_VERSION",
  default: describeVersion,
  parse: (text) => {
    if (!/^[0-9A-Za-z][0-9A-Za-z.+_~-]{0,63}$/.test(text)) {
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
  default: (host: ParameterHost) => sourceDateEpoch(host),
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
