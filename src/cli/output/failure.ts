/**
 * Every failure as text, in one form: message and code, place, hint. A UserError has no stack.
 */
import { messageOf, printable, UserError } from "../../errors/index.ts";
import type { Style } from "../terminal/style.ts";
import type { SourceStack } from "./source-stack.ts";

export class FailureText {
  readonly #style: Style;
  readonly #verbose: boolean;
  readonly #stack: SourceStack;

  constructor(style: Style, verbose: boolean, stack: SourceStack) {
    this.#style = style;
    this.#verbose = verbose;
    this.#stack = stack;
  }

  /** Lines without a final line feed. `about` is what failed, e.g. a task's name. */
  of(error: unknown, about?: string): string {
    const style = this.#style;
    const lead = about === undefined ? "" : `${style.bold(about)}: `;
    const code = error instanceof UserError ? ` ${style.dim(`[${error.code}]`)}` : "";
    const lines: string[] = [`${style.red("error:")} ${lead}${printable(headline(error))}${code}`];
    const add = (label: string, text: string): unknown =>
      lines.push(`  ${style.dim(`${label}:`)} ${printable(text)}`);
    if (error instanceof UserError) {
      if (error.where !== undefined) add("where", error.where);
      if (error.hint !== undefined) add("hint", error.hint);
      if (this.#verbose && error.cause !== undefined) add("cause", this.#stackOf(error.cause));
    } else if (!isCommandFailure(error)) {
      const place = error instanceof Error ? this.#stack.placeOf(error) : undefined;
      const isOurs = place === undefined || place.isOurs;
      if (!isOurs) add("where", place.where);
      if (this.#verbose) lines.push(printable(this.#stackOf(error)));
      else if (isOurs) add("hint", "this is a bug in razor-mk; --verbose shows the stack");
      else add("hint", "the task's code threw this error; --verbose shows the stack");
    }
    return lines.join("\n");
  }

  #stackOf(error: unknown): string {
    return error instanceof Error ? this.#stack.textOf(error) : String(error);
  }
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
  const how =
    error.signal === null ? `exited with status ${error.exitCode}` : `was killed by ${error.signal}`;
  return `a command ${how}${error.cmd === undefined ? "" : `: ${error.cmd}`}`;
}
