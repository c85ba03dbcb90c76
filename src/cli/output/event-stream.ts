/**
 * Events as JSON, one object a line, for programs that watch a build. The form is versioned; see docs/engine.md.
 */
import {
  type BuildEvent,
  type Cycle,
  describeReason,
  type RemoteTraffic,
  type WatchEvent,
} from "../../engine/index.ts";
import { UserError } from "../../errors/index.ts";
import type { Artifact } from "./artifact.ts";
import { headline } from "./failure.ts";

const streamVersion = 1;

export function encodeEvent(event: BuildEvent): string {
  const fields: Record<string, unknown> = { v: streamVersion, ...event };
  if ("reasons" in event) {
    fields.reasons = event.reasons.map((reason) => ({ ...reason, text: describeReason(reason) }));
  }
  if (event.type === "task-failed") {
    fields.error = encodeError(event.error);
  }
  return JSON.stringify(fields);
}

/** The line of what a build and its remote cache exchanged. */
export function encodeTraffic(traffic: RemoteTraffic): string {
  return `${JSON.stringify({ v: streamVersion, type: "remote-cache", ...traffic })}\n`;
}

/** A line for each artifact of a build that succeeded. */
export function encodeArtifact(artifact: Artifact): string {
  return `${JSON.stringify({ v: streamVersion, type: "artifact", ...artifact })}\n`;
}

/** An event of watch mode, beside those of its builds. */
export function encodeWatchEvent(event: WatchEvent, artifacts: readonly Artifact[] = []): string {
  if (event.type !== "cycle-finished") return JSON.stringify({ v: streamVersion, ...event });
  const { type, changes, outcome, seconds, error }: Cycle = event;
  const failure = error === undefined ? {} : { error: encodeError(error) };
  return JSON.stringify({ v: streamVersion, type, changes, outcome, seconds, artifacts, ...failure });
}

function encodeError(error: unknown): unknown {
  return error instanceof UserError
    ? { code: error.code, message: error.message, where: error.where, hint: error.hint }
    : { code: "internal", message: headline(error) };
}

/** A line of a command's result, where the output is JSON. */
export function encodeLine(text: string): string {
  return `${JSON.stringify({ v: streamVersion, type: "result", text })}\n`;
}
