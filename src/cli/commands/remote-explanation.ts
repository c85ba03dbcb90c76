/** `why` beyond this machine: the key of a result, whether the shared cache has it, and how it differs from another one. */
import type { Forecast, Part, ResultKey } from "../../engine/index.ts";
import { printableName, UserError } from "../../errors/index.ts";
import type { HttpCache } from "../../remote/index.ts";
import { namedResult, type RemoteResultName } from "../options/remote-result.ts";
import { nameOf } from "../output/plain-reporter.ts";
import type { Session } from "../session.ts";

/** What `why` adds to its JSON. */
export interface RemoteExplanation {
  /** The sha256 by which servers name the result. */
  readonly key: string;
  readonly inSharedCache?: boolean;
  /** What differs from the result that was named with --against. */
  readonly differences?: readonly Difference[];
}

interface Difference {
  /** Such as `tool mksquashfs`. */
  readonly part: string;
  readonly here?: string;
  readonly there?: string;
}

/**
 * Explains the result of the task that was asked about. Undefined without a remote cache and --against. Throws `UserError`
 * `remote-key-unknown`.
 */
export async function explainRemotely(
  { request, io }: Session,
  asked: Forecast,
): Promise<RemoteExplanation | undefined> {
  const { against, remoteCache } = request;
  if (against === undefined && remoteCache === undefined) return undefined;
  const named = against === undefined ? undefined : namedResult(against, remoteCache?.location, io.env);
  const { HttpCache, keyOf } = await import("../../remote/index.ts");
  if (asked.key === undefined) {
    if (named === undefined) return undefined;
    throw unknownHere(asked);
  }
  const location = named?.location ?? remoteCache?.location;
  if (location === undefined) return undefined;
  const key = keyOf(asked.key);
  const warnings: string[] = [];
  const cache = new HttpCache(location, {
    upload: false,
    maker: "",
    onWarning: (message) => warnings.push(message),
  });
  const { signal } = new AbortController();
  try {
    if (named === undefined) {
      const found = await cache.find(asked.key, signal);
      for (const warning of warnings) io.stderr.write(`note: ${warning}\n`);
      return warnings.length > 0 ? { key } : { key, inSharedCache: found !== undefined };
    }
    return { key, differences: compare(asked.key, await partsThere(cache, named, warnings, signal)) };
  } finally {
    await cache.close();
  }
}

/** Lines for people; differences in words. */
export function remoteLines(
  { key, inSharedCache, differences }: RemoteExplanation,
  asked: Forecast,
): readonly string[] {
  const where = inSharedCache === undefined ? "" : `, ${inSharedCache ? "" : "not "}in the shared cache`;
  const lines = [`key of ${nameOf(asked.id)}: ${key}${where}`];
  if (differences === undefined) return lines;
  if (differences.length === 0) return [...lines, "the other result has the same key: nothing differs"];
  return [
    ...lines,
    "different in the other result:",
    ...differences.map((one) => `  ${differenceText(one)}`),
  ];
}

async function partsThere(
  cache: HttpCache,
  { digest, location }: RemoteResultName,
  warnings: readonly string[],
  signal: AbortSignal,
): Promise<readonly Part[]> {
  const parts = await cache.explain(digest, signal);
  if (parts !== undefined) return parts;
  throw new UserError(`the remote cache at ${location.shown} has no result with the key ${digest}`, {
    code: "remote-key-unknown",
    hint:
      warnings[0] ??
      "take the key that `task why TARGET` prints on the other machine, which must upload its results",
  });
}

function unknownHere(asked: Forecast): UserError {
  return new UserError(`the key of ${nameOf(asked.id)} is not known, or it is not shared`, {
    code: "remote-key-unknown",
    hint:
      asked.verdict === "maybe"
        ? "build what it needs first, or compare one of those"
        : "docs/remote.md lists which results are not shared; compare a task that needs it",
  });
}

function compare({ parts: here }: ResultKey, there: readonly Part[]): readonly Difference[] {
  const others = new Map(there);
  const differences: Difference[] = [];
  for (const [part, value] of here) {
    const other = others.get(part);
    others.delete(part);
    if (other === undefined) differences.push({ part, here: value });
    else if (other !== value) differences.push({ part, here: value, there: other });
  }
  return [...differences, ...[...others].map(([part, value]) => ({ part, there: value }))];
}

/** What users call the kinds of parts. */
const kinds: Readonly<Record<string, string>> = {
  code: "the code of the task",
  format: "the version of the cache",
  tool: "the program",
  param: "the option",
  env: "the environment variable",
  input: "the input",
  need: "the outputs of",
  output: "the output",
};

function differenceText({ part, here, there }: Difference): string {
  const space = part.indexOf(" ");
  const kind = space === -1 ? part : part.slice(0, space);
  const name = space === -1 ? "" : ` ${part.slice(space + 1)}`;
  // Others wrote it.
  const show = (value: string | undefined): string =>
    value === undefined ? "nothing" : printableName(shortened(value));
  return `${printableName(`${kinds[kind] ?? kind}${name}`)}: ${show(here)} here, ${show(there)} there`;
}

/** A digest needs no more than its beginning to be told from another one. */
function shortened(value: string): string {
  return /^[0-9a-f]{64}$/.test(value) ? value.slice(0, 12) : value.slice(0, 200);
}
