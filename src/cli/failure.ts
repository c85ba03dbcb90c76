/**
 * Every failure as text, in one form: what, where, why, what to do. Users' mistakes have no stack.
 */
import { messageOf, UserError } from "../errors/index.ts";
import type { Style } from "./style.ts";

/** Lines without a final line feed. `about` is what failed, e.g. a task's name. */
export function renderFailure(
  error: unknown,
  style: Style,
  options: { about?: string; verbose: boolean },
): string {
  const about = options.about === undefined ? "" : `${style.bold(options.about)}: `;
  const lines: string[] = [`${style.red("error:")} ${about}${headline(error)}`];
  if (error instanceof UserError) {
    if (error.where !== undefined) lines.push(`  ${style.dim("where:")} ${error.where}`);
    if (error.hint !== undefined) lines.push(`  ${style.dim("hint:")} ${error.hint}`);
    if (options.verbose && error.cause !== undefined)
      lines.push(`  ${style.dim("cause:")} ${stackOf(error.cause)}`);
  } else if (!isCommandFailure(error)) {
    lines.push(
      options.verbose
        ? stackOf(error)
        : `  ${style.dim("hint:")} this is not a mistake of yours; --verbose shows where it happened`,
    );
  }
  return lines.join("\n");
}

interface CommandFailure extends Error {
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly cmd?: string;
}

/** zx's `ProcessOutput`, known by its shape so that zx need not be loaded to print an error. */
function isCommandFailure(error: unknown): error is CommandFailure {
  return error instanceof Error && "exitCode" in error && "stderr" in error;
}

export function headline(error: unknown): string {
  if (!isCommandFailure(error)) return messageOf(error);
  const how = error.signal === null ? `exited with status ${error.exitCode}` : `was ended by ${error.signal}`;
  return `a command ${how}${error.cmd === undefined ? "" : `: ${error.cmd}`}`;
}

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
