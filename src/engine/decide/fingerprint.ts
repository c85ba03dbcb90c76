/**
 * The fingerprint of a task: the digest of everything that may change its result, part by part, so that two of them
 * can be compared and the difference named.
 */

import type { BoundTask } from "../bind/bound-task.ts";
import type { AbsolutePath, Digest, Fingerprint } from "../define/names.ts";
import { displayPath } from "../define/names.ts";
import { Secret, secretTag } from "../define/secret.ts";
import { digestOfParts } from "../files/digest.ts";
import type { ResolvedInput } from "../files/input.ts";
import type { Part } from "../state/stamp.ts";

/** Changes whenever the meaning of a part, or of the stored results, changes. */
const formatVersion = "1";

interface FingerprintSources {
  readonly workspace: AbsolutePath;
  readonly bound: BoundTask;
  readonly inputs: readonly Pick<ResolvedInput, "name" | "digest">[];
  /** Digest of the task's module and all local modules it imports. */
  readonly code: Digest;
  /** Digest of each declared tool's binary; undefined for an optional one that is not installed. */
  readonly tools: ReadonlyMap<string, Digest | undefined>;
  /** Digest of the outputs of each need, by the name the task gives it; undefined where a condition excludes it. */
  readonly needs: ReadonlyMap<string, Digest | undefined>;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly secretKey: () => Uint8Array;
}

export function partsOf(sources: FingerprintSources): readonly Part[] {
  const { bound } = sources;
  const parts: Part[] = [
    ["format", formatVersion],
    ["task", bound.task.name],
    ["variant", bound.variant ?? ""],
    ["code", sources.code],
  ];
  for (const [name, value] of bound.values) {
    const parameter = bound.task.params[name];
    if (parameter?.fingerprinted === false) continue;
    const recorded =
      parameter?.recorded === undefined || value === undefined ? value : parameter.recorded(value);
    parts.push([`param ${name}`, encodeValue(recorded, sources.secretKey)]);
  }
  for (const name of bound.task.env)
    parts.push([`env ${name}`, encodeValue(sources.env[name], sources.secretKey)]);
  for (const [name, digest] of sources.tools) parts.push([`tool ${name}`, digest ?? "none"]);
  for (const input of sources.inputs) parts.push([`input ${input.name}`, input.digest]);
  for (const [name, digest] of sources.needs) parts.push([`need ${name}`, digest ?? "none"]);
  for (const output of bound.outputs) {
    const kind = `${output.private ? "private-" : ""}${output.sparse ? "sparse-" : ""}${output.kind}`;
    parts.push([`output ${output.slot}`, `${kind} ${displayPath(sources.workspace, output.usualPath)}`]);
  }
  return parts;
}

export function fingerprintOf(parts: readonly Part[]): Fingerprint {
  return digestOfParts(parts.flat()) as string as Fingerprint;
}

function encodeValue(value: unknown, key: () => Uint8Array): string {
  return value instanceof Secret ? `secret ${secretTag(value, key)}` : (JSON.stringify(value) ?? "none");
}
