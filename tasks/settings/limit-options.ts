/** Options that limit what an archive from elsewhere may unpack to. */
import type { Parameter } from "../../src/engine/index.ts";
import { UsageError } from "../../src/errors/index.ts";
import type { LimitSettings, UnpackLimits } from "../../src/formats/index.ts";

const units: Readonly<Record<string, number>> = {
  "": 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  tb: 1e12,
  kib: 1024,
  mib: 1024 ** 2,
  gib: 1024 ** 3,
  tib: 1024 ** 4,
};

/** Bytes of `8GB`, `500 MiB` or `4096`; undefined where the text is no size. */
export function parseSize(text: string): number | undefined {
  const [, number, unit = ""] = /^(\d{1,15}(?:\.\d{1,3})?) *([kmgt]i?b?|b)?$/i.exec(text.trim()) ?? [];
  if (number === undefined) return undefined;
  const name = unit.toLowerCase();
  const factor = units[name] ?? units[`${name}b`] ?? 1;
  const bytes = Math.round(Number(number) * factor);
  return Number.isSafeInteger(bytes) && bytes > 0 ? bytes : undefined;
}

const limit = (
  options: {
    readonly name: string;
    readonly env: string;
    readonly description: string;
    readonly value: string;
  },
  parse: (text: string) => number | undefined,
  example: string,
): Parameter<number | undefined> => ({
  ...options,
  kind: "text",
  fingerprinted: false,
  default: undefined,
  parse: (text) => {
    const value = parse(text);
    if (value !== undefined) return value;
    throw new UsageError(`--${options.name} is "${text}", but must be a ${options.value.toLowerCase()}`, {
      code: "limit-invalid",
      hint: `for example --${options.name} ${example}`,
    });
  },
});

export const maxUnpacked: Parameter<number | undefined> = limit(
  {
    name: "max-unpacked",
    env: "MK_BUNDLE_MAX_UNPACKED",
    description: "maximum unpacked size of one archive (default: 4GiB and 64 times its packed size)",
    value: "SIZE",
  },
  parseSize,
  "8GB",
);

const wholeNumber = (text: string): number | undefined =>
  /^[1-9]\d{0,11}$/.test(text) ? Number(text) : undefined;

export const maxEntries: Parameter<number | undefined> = limit(
  {
    name: "max-entries",
    env: "MK_BUNDLE_MAX_ENTRIES",
    description: "maximum number of entries of one archive (default: 200000)",
    value: "NUMBER",
  },
  wholeNumber,
  "1000000",
);

const maxDepth: Parameter<number | undefined> = limit(
  {
    name: "max-depth",
    env: "MK_BUNDLE_MAX_DEPTH",
    description: "maximum nesting depth of directories in one archive (default: 128)",
    value: "NUMBER",
  },
  wholeNumber,
  "1000",
);

/** The parameters of a task or command that reads archives from elsewhere. */
export const limitParams = { maxUnpacked, maxEntries, maxDepth } as const;

/** What src/formats calls these options in its hints. */
export const limitSettings: LimitSettings = {
  maxBytes: "--max-unpacked SIZE, e.g. --max-unpacked 8GB",
  maxEntries: "--max-entries NUMBER",
  maxDepth: "--max-depth NUMBER",
};

/** The limits that the user sets; a given size replaces the limit on the ratio too. */
export function limitsOf(
  params: {
    readonly [K in keyof typeof limitParams]: number | undefined;
  },
): UnpackLimits {
  const { maxUnpacked: maxBytes, maxEntries: entries, maxDepth: depth } = params;
  return {
    settings: limitSettings,
    ...(maxBytes === undefined ? {} : { maxBytes, maxRatio: Number.POSITIVE_INFINITY }),
    ...(entries === undefined ? {} : { maxEntries: entries }),
    ...(depth === undefined ? {} : { maxDepth: depth }),
  };
}

/** The same for a command, or for the default of another parameter. */
export async function limitsGiven(
  value: (parameter: Parameter<number | undefined>) => number | undefined | Promise<number | undefined>,
): Promise<UnpackLimits> {
  return limitsOf({
    maxUnpacked: await value(maxUnpacked),
    maxEntries: await value(maxEntries),
    maxDepth: await value(maxDepth),
  });
}
