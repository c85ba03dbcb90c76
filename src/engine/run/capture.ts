/** What a task prints, collected without its secrets. */
import { UserError } from "../../errors/index.ts";
import type { BoundTask } from "../bind/bound-task.ts";
import { Secret } from "../define/secret.ts";
import type { Progress } from "../define/task-context-types.ts";
import type { KeptOutput } from "./kept-output.ts";

export class Capture {
  readonly #secrets: readonly string[];
  readonly #onOutput: (text: string) => void;
  readonly #kept: KeptOutput;
  /** The end of what was printed, as long as it may be the beginning of a secret. */
  #held = "";

  /** `kept` receives the output that is recorded with the result. */
  constructor(bound: BoundTask, onOutput: (text: string) => void, kept: KeptOutput) {
    this.#onOutput = onOutput;
    this.#kept = kept;
    this.#secrets = [...bound.values.values()].flatMap((value) => {
      const text = value instanceof Secret ? value.reveal() : "";
      return text === "" ? [] : [text];
    });
  }

  /** What is kept of everything so far. */
  get text(): string {
    return this.#kept.text + this.#held;
  }

  /** Takes the next piece of output; a secret may be cut in two anywhere. */
  add(text: string): void {
    const clean = this.clean(this.#held + text);
    const held = this.#mayContinue(clean);
    this.#held = clean.slice(clean.length - held);
    this.#say(clean.slice(0, clean.length - held));
  }

  /** Says what was held back, once nothing more can come. */
  end(): void {
    const rest = this.#held;
    this.#held = "";
    this.#say(rest);
  }

  /** Ends the capture; the file behind `kept` may be removed afterwards. */
  close(): void {
    this.end();
    this.#kept.close();
  }

  /** A progress report without secrets. */
  cleanProgress(progress: Progress): Progress {
    return { ...progress, item: this.clean(progress.item) };
  }

  #say(text: string): void {
    if (text === "") return;
    this.#kept.add(text);
    this.#onOutput(text);
  }

  /** How many characters at the end of the text are the beginning of a secret. */
  #mayContinue(text: string): number {
    let longest = 0;
    for (const secret of this.#secrets) {
      for (let length = Math.min(secret.length - 1, text.length); length > longest; length -= 1) {
        if (text.endsWith(secret.slice(0, length))) longest = length;
      }
    }
    return longest;
  }

  /** The failure as it may be shown: the same one, unless a secret stands in it. */
  cleanError(error: unknown): unknown {
    if (this.#secrets.length === 0) return error;
    if (!(error instanceof Error)) return typeof error === "string" ? this.clean(error) : error;
    const failed = error as Error & { readonly [key in "exitCode" | "signal" | "stderr" | "cmd"]?: unknown };
    const cause = this.#isClean(error.cause) ? error.cause : this.cleanError(error.cause);
    const said = [error.message, error.stack, failed.stderr, failed.cmd];
    const { where: place, hint: advice } = error as Partial<UserError>;
    if (cause === error.cause && [...said, place, advice].every((text) => this.#isClean(text))) return error;
    if (error instanceof UserError) {
      const { code, where, hint } = error;
      return new UserError(this.clean(error.message), {
        code,
        ...(cause === undefined ? {} : { cause }),
        ...(where === undefined ? {} : { where: this.clean(where) }),
        ...(hint === undefined ? {} : { hint: this.clean(hint) }),
      });
    }
    const clean = new Error(this.clean(error.message));
    clean.stack = this.clean(error.stack ?? "");
    if (!("exitCode" in error)) return clean;
    const cmd = typeof failed.cmd === "string" ? { cmd: this.clean(failed.cmd) } : {};
    const stderr = this.clean(String(failed.stderr));
    return Object.assign(clean, { exitCode: failed.exitCode, signal: failed.signal, stderr, ...cmd });
  }

  #isClean(text: unknown): boolean {
    return !(text instanceof Error) && this.clean(String(text)) === String(text);
  }

  /** The text with `***` in place of every secret of the task. */
  clean(text: string): string {
    let clean = text;
    for (const secret of this.#secrets) clean = clean.replaceAll(secret, "***");
    return clean;
  }
}
