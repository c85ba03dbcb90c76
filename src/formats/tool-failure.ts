/** Turns the failure of a host tool into a message that names the file it worked on. */
import { systemErrorCode, UserError } from "../errors/index.ts";
import { printName } from "./names.ts";

interface ToolContext {
  /** The tool's name, for the message. */
  readonly tool: string;
  /** What was to be done, as in "cannot WHAT". */
  readonly what: string;
  /** The file it is about. */
  readonly where: string;
  readonly hint?: string;
}

/**
 * Awaits a tool's run. @throws UserError `tool-failed` with the last lines the tool said, `tool-missing`;
 * an interrupted run is thrown on as it is
 */
export async function withTool<T>(context: ToolContext, run: () => PromiseLike<T>): Promise<T> {
  try {
    return await run();
  } catch (cause) {
    const { exitCode, signal } = statusOf(cause);
    if (cause instanceof UserError || signal !== undefined || systemErrorCode(cause) === "ABORT_ERR")
      throw cause;
    if (exitCode === undefined) throw cause;
    const { tool, what, where, hint } = context;
    const missing = exitCode === 127;
    const said = lastLines(cause);
    const why = missing ? `${tool} is not installed` : `${tool} failed with status ${exitCode}${said}`;
    throw new UserError(`cannot ${what}: ${why}`, {
      code: missing ? "tool-missing" : "tool-failed",
      where: printName(where),
      hint: missing
        ? `install the package that contains ${tool}`
        : (hint ?? "check that the file is complete and readable"),
      cause,
    });
  }
}

function statusOf(error: unknown): { readonly exitCode?: number; readonly signal?: string } {
  if (typeof error !== "object" || error === null) return {};
  const exitCode = "exitCode" in error && typeof error.exitCode === "number" ? error.exitCode : undefined;
  const signal = "signal" in error && typeof error.signal === "string" ? error.signal : undefined;
  return {
    ...(exitCode === undefined ? {} : { exitCode }),
    ...(signal === undefined ? {} : { signal }),
  };
}

function lastLines(error: unknown): string {
  if (typeof error !== "object" || error === null || !("stderr" in error)) return "";
  const lines = String(error.stderr)
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
  return lines.length === 0 ? "" : `: ${lines.slice(-3).join("; ")}`;
}
