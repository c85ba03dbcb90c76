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

export const unpackRatio: Parameter<string> = param.text({
  name: "unpack-ratio",
  description: "how many times its own size one file may unpack to (default: 64)",
  value: "N",
  env: "MK_BUNDLE_UNPACK_RATIO",
  fingerprinted: false,
  default: "64",
  parse: (text) => {
    if (/^[1-9]\d{0,5}$/.test(text)) return text;
    throw new UsageError(`--unpack-ratio is "${text}", but must be a number from 1 to 999999`, {
      code: "unpack-ratio",
      hint: "leave it out for 64",
    });
  },
});

/** What a task declares that unpacks anything from elsewhere. */
export const unpackParams = { unpackLimit, unpackRatio } as const;

/** The limits as the formats take them. */
export function unpackLimits(params: {
  readonly unpackLimit: string;
  readonly unpackRatio: string;
}): UnpackLimits {
  return {
    maxBytes: bytesOf(params.unpackLimit) ?? 0,
    maxRatio: Number(params.unpackRatio),
    raisedBy: { bytes: "--unpack-limit", ratio: "--unpack-ratio" },
  };
}

function bytesOf(text: string): number | undefined {
  const [, digits, unit = ""] = /^([1-9]\d{0,14})([KMGT]?)$/i.exec(text) ?? [];
  if (digits === undefined) return undefined;
  const bytes = Number(digits) * 1024 ** " KMGT".indexOf(unit.toUpperCase() || " ");
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}
