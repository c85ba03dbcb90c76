/**
 * Events as JSON, one object a line, for programs that watch a build. The form is versioned; see docs/engine.md.
 */
import { type BuildEvent, describeReason } from "../engine/index.ts";
import { messageOf, UserError } from "../errors/index.ts";

const streamVersion = 1;

export function encodeEvent(event: BuildEvent): string {
  const fields: Record<string, unknown> = { v: streamVersion, ...event };
  if ("reasons" in event) {
    fields.reasons = event.reasons.map((reason) => ({ ...reason, text: describeReason(reason) }));
  }
  if (event.type === "task-failed") {
    const { error } = event;
    fields.error =
      error instanceof UserError
        ? { code: error.code, message: error.message, where: error.where, hint: error.hint }
        : { code: "internal", message: messageOf(error) };
  }
  return JSON.stringify(fields);
}

/** A line of a command's result, where the output is JSON. */
export function encodeLine(text: string): string {
  return `${JSON.stringify({ v: streamVersion, type: "result", text })}\n`;
}
