/** What a command printed, for the task that ran it: in memory, and therefore only up to a limit. */
import { UserError } from "../errors/index.ts";

/** Bytes. */
const limit = 32 * 1024 * 1024;

/** The chunks of a stream as zx collects them; of those that are too many the latest are kept, but never taken for all. */
class Chunks extends Array<string | Buffer> {
  static override get [Symbol.species](): ArrayConstructor {
    return Array;
  }

  #size = 0;
  #cut = false;
  readonly #isResult: boolean;

  /** `isResult`: half of it would be a wrong result; otherwise the end of it says enough. */
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

  // zx joins the chunks with it when a task reads them.
  override reduce(...args: readonly unknown[]): never {
    if (this.#cut && this.#isResult) {
      throw new UserError(
        `a command printed more than ${limit / 1024 / 1024} MiB, which is more than a task may read`,
        {
          code: "output-too-long",
          hint: "let the command write to a file: `command > file`",
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
