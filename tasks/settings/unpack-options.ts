/** How much a fetched or given file may unpack to. */
import { type Parameter, param } from "../../src/engine/index.ts";
import { UsageError } from "../../src/errors/index.ts";
import type { UnpackLimits } from "../../src/formats/index.ts";

/** Bytes, with K, M, G or T for powers of 1024. */
export const unpackLimit: Parameter<string> = param.text({
  name: "unpack-limit",
  description: "how much one file may unpack to (default: 4G)",
  value: "SIZE",
  env: "MK_BUNDLE_UNPACK_LIMIT",
  fingerprinted: false,
  default: "4G",
  parse: (text) => {
    if (bytesOf(text) !== undefined) return text;
    throw new UsageError(`--unpack-limit is "${text}", but must be a size`, {
      code: "unpack-limit",
      hint: "write a number of bytes, or one with K, M, G or T, e.g. 8G",
    });
  },
});

const countOption = (options: {
  readonly name: string;
  readonly env: string;
  readonly description: string;
  readonly default: string;
}): Parameter<string> =>
  param.text({
    ...options,
    value: "N",
    fingerprinted: false,
    parse: (text) => {
      if (/^[1-9]\d{0,8}$/.test(text)) return text;
      throw new UsageError(`--${options.name} is "${text}", but must be a number from 1 to 999999999`, {
        code: "unpack-limit",
        hint: `leave it out for ${options.default}`,
      });
    },
  });

export const unpackRatio = countOption({
  name: "unpack-ratio",
  env: "MK_BUNDLE_UNPACK_RATIO",
  description: "how many times its own size one file may unpack to (default: 64)",
  default: "64",
});

export const unpackEntries = countOption({
  name: "unpack-entries",
  env: "MK_BUNDLE_UNPACK_ENTRIES",
  description: "how many files, folders and links one archive may hold (default: 250000)",
  default: "250000",
});

/** What a task declares that unpacks anything from elsewhere. */
export const unpackParams = { unpackLimit, unpackRatio, unpackEntries } as const;

/** The limits as the formats take them. */
export function unpackLimits(params: {
  readonly unpackLimit: string;
  readonly unpackRatio: string;
  readonly unpackEntries: string;
}): UnpackLimits {
  return {
    maxBytes: bytesOf(params.unpackLimit) ?? 0,
    maxRatio: Number(params.unpackRatio),
    maxEntries: Number(params.unpackEntries),
    raisedBy: { bytes: "--unpack-limit", ratio: "--unpack-ratio", entries: "--unpack-entries" },
  };
}

function bytesOf(text: string): number | undefined {
  const [, digits, unit = ""] = /^([1-9]\d{0,14})([KMGT]?)$/i.exec(text) ?? [];
  if (digits === undefined) return undefined;
  const bytes = Number(digits) * 1024 ** " KMGT".indexOf(unit.toUpperCase() || " ");
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}
