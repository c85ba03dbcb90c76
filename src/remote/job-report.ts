/** What a job reports while it runs: one JSON object a line on its standard output. */
import type { JobFailure } from "../engine/index.ts";

export type JobReport =
  | { readonly type: "started"; readonly node: string }
  | { readonly type: "output"; readonly text: string }
  | { readonly type: "note"; readonly message: string }
  | { readonly type: "failed"; readonly node: string; readonly failure: JobFailure }
  | { readonly type: "declined"; readonly node: string; readonly why: string }
  | { readonly type: "done"; readonly node: string };

/** The report in a line; undefined for what else the node's programs print. */
export function parseReport(line: string): JobReport | undefined {
  let found: Partial<Record<string, unknown>> | null;
  try {
    found = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (typeof found !== "object" || found === null) return undefined;
  const { type, node, text, message, failure } = found;
  switch (type) {
    case "started":
    case "done":
      return typeof node === "string" ? { type, node } : undefined;
    case "declined":
      return typeof node === "string" && typeof found.why === "string"
        ? { type, node, why: found.why }
        : undefined;
    case "output":
      return typeof text === "string" ? { type, text } : undefined;
    case "note":
      return typeof message === "string" ? { type, message } : undefined;
    case "failed": {
      const { message: why, where, hint } = (failure ?? {}) as Partial<Record<string, unknown>>;
      if (typeof node !== "string" || typeof why !== "string") return undefined;
      const place = typeof where === "string" ? { where } : {};
      const advice = typeof hint === "string" ? { hint } : {};
      return { type, node, failure: { message: why, ...place, ...advice } };
    }
    default:
      return undefined;
  }
}
