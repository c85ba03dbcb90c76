/** Where everything that is fetched comes from, what pins it, and whether the network may be used. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { type Parameter, type ParameterHost, type ParseHost, param } from "../../src/engine/index.ts";
import { didYouMean, UsageError, UserError } from "../../src/errors/index.ts";
import {
  parseDirectoryLocation,
  parseLocation,
  publicUrl,
  type SettingNames,
} from "../../src/fetch/index.ts";
import { fileOf, isOldProjectWithout } from "../settings/project-options.ts";
import { configuredIso } from "../settings/remaster-options.ts";
import { kindOf, sourceChoices, sourceKinds, withoutMirror } from "./kinds/index.ts";

/** Names the sources and says where each one is; relative to the workspace. */
export const sourcesFile = "lists/sources.yaml";

/** Which part of the lists and of the sources file is used. */
export const source: Parameter<string> = param.choice({
  name: "source",
  description: `source: ${sourceKinds.map(({ description }) => description).join(", ")}`,
  value: "SOURCE",
  env: "MK_BUNDLE_SOURCE",
  choices: sourceChoices,
  choicesIn: (root) => namesIn(path.join(root, sourcesFile)) ?? [],
  open: true,
  recorded: publicUrl,
  parse: (text, host) => {
    if (kindOf(text).isListed && !text.includes(":")) checkSourceName(text, host);
    return checkUrl("source", text, true);
  },
  default: "tinycore",
});

/** Throws a `UsageError` for a name that the sources file does not have. A file that cannot be read is the fetch steps' error. */
function checkSourceName(name: string, { root, dependsOn }: ParseHost): void {
  const file = path.join(root, sourcesFile);
  dependsOn("sources file", async () => ({ paths: [file], isWhole: true }));
  const names = namesIn(file);
  if (names === undefined || names.includes(name)) return;
  const known = [...new Set([...names, ...sourceChoices])];
  throw new UsageError(`there is no source "${name}"`, {
    code: "source-unknown",
    hint:
      didYouMean(name, known) ??
      `known sources: ${known.join(", ")}; or name a mirror's URL or directory (./directory)`,
  });
}

/** The keys at the top of a YAML file; undefined where it cannot be read or has none at the beginning of a line. */
function namesIn(file: string): readonly string[] | undefined {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
  const keys = [...text.matchAll(/^(["']?)([^\s"'#{[&*-][^"'#\n:]*)\1\s*:/gm)].map(([, , key = ""]) =>
    key.trim(),
  );
  return keys.length === 0 ? undefined : keys;
}

const urlOption = (
  name: string,
  env: string,
  description: string,
  options: {
    /** File names are appended to it. */
    readonly isDirectory?: boolean;
    readonly byDefault?: (host: ParameterHost) => Promise<string | undefined>;
  } = {},
): Parameter<string | undefined> => ({
  ...param.optional({
    name,
    env,
    description,
    value: "URL",
    parse: (text) => checkUrl(name, text, options.isDirectory === true),
    recorded: (url) => (url === undefined ? url : publicUrl(url)),
  }),
  default: options.byDefault ?? (async () => undefined),
});

/** A URL as it is, and a path too, which may be relative. Throws a UsageError for what nothing can be fetched from. */
function checkUrl(option: string, text: string, isDirectory: boolean): string {
  if (!/^[a-z][a-z0-9+.-]*:/i.test(text)) return text;
  try {
    if (isDirectory) parseDirectoryLocation(text, `--${option}`);
    else parseLocation(text, `--${option}`);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    throw new UsageError(`--${option}: ${error.message}`, {
      code: "bad-location",
      hint: "write an http:, https: or file:/// URL, or a path, with %3F for ? and %23 for # in names",
    });
  }
  return text;
}

export const mirrorUri = urlOption(
  "tcl-mirror-uri",
  "MK_BUNDLE_TCL_MIRROR_URI",
  "Tiny Core mirror instead of the source's",
  { isDirectory: true },
);
export const isoUrl = urlOption("tcl-iso-url", "MK_BUNDLE_TCL_ISO_URL", "Core ISO instead of the mirror's", {
  byDefault: configuredIso,
});
export const gemServerUri = urlOption(
  "gem-server-uri",
  "MK_BUNDLE_GEM_SERVER_URI",
  "gem server instead of the source's",
  { isDirectory: true },
);
export const rubyGemsUrl = urlOption("ruby-gems-url", "MK_BUNDLE_RUBY_GEMS_URL", "RubyGems tarball, or none");
/** Files that an old project has for MCollective. */
const mcollectiveFiles = [
  "configuration-agent",
  "facter-agent",
  "additional-build-files/mcollective-setup-files.tar.gz",
] as const;

export const mcollectiveUrl = urlOption(
  "mcollective-url",
  "MK_BUNDLE_MCOLLECTIVE_URL",
  "MCollective tarball, or none",
  {
    // Later revisions of the old project have none.
    byDefault: async (host) => ((await isOldProjectWithout(mcollectiveFiles)(host)) ? "none" : undefined),
  },
);
export const openVmToolsUrl = urlOption(
  "open-vm-tools-url",
  "MK_BUNDLE_OPEN_VM_TOOLS_URL",
  "open-vm-tools tarball, or none",
  {
    byDefault: async (host) => {
      const own = await fileOf("additional-build-files/mk-open-vm-tools.tar.gz", "")(host);
      return own === "" ? undefined : pathToFileURL(own).href;
    },
  },
);

/** What is pinned. */
export const lockFile: Parameter<string> = param.path({
  name: "lock",
  description: "lock file (default: lists/sources.lock.json)",
  value: "FILE",
  default: async (host) => kindOf(await host.value(source)).lock.file,
});

export const frozen: Parameter<boolean> = param.switch({
  name: "frozen",
  description: "fail if an artifact is not in the lock (default if CI is set)",
  fingerprinted: false,
  default: (host) => host.env.CI !== undefined && host.env.CI !== "" && host.env.CI !== "false",
});

export const offline: Parameter<boolean> = param.switch({
  name: "offline",
  description: "open no network connection; list everything that is missing",
  fingerprinted: false,
  default: false,
});

const downloadLimit = (options: {
  readonly name: string;
  readonly description: string;
  readonly default: string;
  readonly env?: string;
  readonly value?: string;
  /** The accepted range; by default 1 to 99. */
  readonly least?: number;
  readonly most?: number;
}): Parameter<string> =>
  param.text({
    value: "N",
    ...options,
    fingerprinted: false,
    parse: (text) => {
      const { least = 1, most = 99 } = options;
      if (!/^\d{1,9}$/.test(text) || Number(text) < least || Number(text) > most) {
        throw new UsageError(
          `--${options.name} is "${text}", but must be a number from ${least} to ${most}`,
          {
            code: "download-limit",
            hint: `omit it for ${options.default}`,
          },
        );
      }
      return text;
    },
  });

/** How many downloads run at once, and how many of them from one server. */
export const downloads = downloadLimit({
  name: "downloads",
  description: "maximum number of parallel downloads (default: 8)",
  default: "8",
});
export const downloadsPerServer = downloadLimit({
  name: "downloads-per-server",
  description: "maximum number of parallel downloads per server (default: 6)",
  default: "6",
});

/** The minimum rate of downloads, and the maximum size of a mirror's index. */
export const leastRate = downloadLimit({
  name: "least-rate",
  description: "minimum rate in bytes per second over a minute (default: 100; 0: any rate)",
  value: "BYTES",
  env: "MK_BUNDLE_LEAST_RATE",
  default: "100",
  least: 0,
  most: 999_999_999,
});
export const indexLimit = downloadLimit({
  name: "index-limit",
  description: "maximum number of extensions in a mirror's index (default: 100000)",
  env: "MK_BUNDLE_INDEX_LIMIT",
  default: "100000",
  most: 10_000_000,
});

/** What src/fetch calls these options in its hints. */
export const settingNames: SettingNames = {
  leastRate: "--least-rate BYTES or MK_BUNDLE_LEAST_RATE",
  maxIndexNames: "--index-limit N or MK_BUNDLE_INDEX_LIMIT",
  otherSource: withoutMirror,
  offline: "--offline",
  frozen: "--frozen and without CI set",
  update: "npx task update",
};
