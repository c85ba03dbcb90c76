/** Output of a command for the task that ran it: held in memory, so its size is limited. */
import { UserError } from "../errors/index.ts";

/** Maximum number of bytes. */
const limit = 32 * 1024 * 1024;

/** The chunks of a stream as zx collects them. Beyond the limit only the latest are kept, and reading them as a result fails. */
class Chunks extends Array<string | Buffer> {
  static override get [Symbol.species](): ArrayConstructor {
    return Array;
  }

  #size = 0;
  #cut = false;
  readonly #isResult: boolean;

  /** `isResult`: tasks read the whole, so a truncated text is an error; otherwise its end is enough. */
  constructor(isResult: boolean) {
    super();
    this.#isResult = isResult;
  }

  override push(...chunks: (string | Buffer)[]): number {
    for (const chunk of chunks) {
      this.#size += chunk.length;
      if (this.#size > limit) {
        this.length = 0;
        this.#size = chunk.length;
        this.#cut = true;
      }
      super.push(chunk);
    }
    return this.length;
  }

  // zx calls this to join the chunks when a task reads the output.
  override reduce(...args: readonly unknown[]): never {
    if (this.#cut && this.#isResult) {
      throw new UserError(
        `a command printed more than ${limit / 1024 / 1024} MiB, more than a task may read into memory`,
        {
          code: "output-too-long",
          hint: "redirect the output to a file: `command > file`",
        },
      );
    }
    return Reflect.apply(Array.prototype.reduce, this, args) as never;
  }
}

/** A place for one command's output, in the form of zx's option `store`. */
export function outputStore() {
  return { stdout: new Chunks(true), stderr: new Chunks(false), stdall: new Chunks(true) };
}
