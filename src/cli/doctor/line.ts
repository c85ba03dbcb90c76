/** A line of the report. It does not know how it is shown. */
import type { Finding, ToolUse } from "../../engine/index.ts";
import { messageOf, UserError } from "../../errors/index.ts";

/** A finding with what was looked at. */
export interface Line extends Finding {
  readonly check: string;
  /** For a host tool: how the requested targets use it, and whether it is installed. */
  readonly tool?: { readonly use: ToolUse; readonly installed: boolean };
}

/** An error as a finding. */
export function failed(error: unknown): Finding {
  const { where, hint } = error instanceof UserError ? error : { where: undefined, hint: undefined };
  const text = `${messageOf(error)}${where === undefined ? "" : ` (${where})`}`;
  return { status: "missing", text, ...(hint === undefined ? {} : { hint }) };
}
