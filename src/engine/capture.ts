/** What a task prints, collected without its secrets. */
import type { BoundTask } from "./graph.ts";
import { Secret } from "./parameter.ts";

export class Capture {
  readonly #secrets: readonly string[];
  readonly #onOutput: (text: string) => void;
  text = "";

  constructor(bound: BoundTask, onOutput: (text: string) => void) {
    this.#onOutput = onOutput;
    this.#secrets = [...bound.values.values()].flatMap((value) => {
      const text = value instanceof Secret ? value.reveal() : "";
      return text === "" ? [] : [text];
    });
  }

  add(text: string): void {
    const clean = this.clean(text);
    this.text += clean;
    this.#onOutput(clean);
  }

  /** The text with `***` in place of every secret of the task. */
  clean(text: string): string {
    let clean = text;
    for (const secret of this.#secrets) clean = clean.replaceAll(secret, "***");
    return clean;
  }
}
