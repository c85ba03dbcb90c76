/**
 * What the program says and which variables it asks for, heard on the way: for a record of a build without anything to do. It
 * does not know what is done with it.
 */
import type { Io, Output } from "./io.ts";

/** Text for standard output (1) or error (2); `elapsedMark` in it stands for the time that it took. */
export type Said = readonly [stream: 1 | 2, text: string];

const elapsedMark = "\0";

/** Streams and environment that remember what was said and what was asked for. */
export class Transcript {
  readonly io: Io;
  readonly said: Said[] = [];
  /** Whether nothing but lines was written; when not, nothing is remembered. */
  still = true;
  /** Tools are looked for in PATH, whoever asks. */
  readonly #asked = new Set(["PATH"]);
  #askedForAll = false;

  constructor(io: Io) {
    this.io = {
      ...io,
      stdout: this.#hear(1, io.stdout),
      stderr: this.#hear(2, io.stderr),
      env: new Proxy(io.env, {
        get: (env, name) => {
          if (typeof name !== "string") return undefined;
          this.#asked.add(name);
          return env[name];
        },
        ownKeys: (env) => {
          this.#askedForAll = true;
          return Reflect.ownKeys(env);
        },
      }),
    };
  }

  /** Names of the variables that were asked for; undefined when all of them were. */
  get environment(): readonly string[] | undefined {
    return this.#askedForAll ? undefined : [...this.#asked];
  }

  /** Writes a text for people in which the elapsed time stands, so that a later replay can tell its own. */
  writeTimed(text: (elapsed: string) => string, elapsed: string): void {
    this.io.stderr.write(text(elapsed));
    if (this.still) this.said.splice(-1, 1, [2, text(elapsedMark)]);
  }

  /** A record is for what stays on the screen: colours yes, a cursor that moves no. */
  #note(stream: 1 | 2, text: string): void {
    if (movesCursor.test(text)) this.still = false;
    if (this.still) this.said.push([stream, text]);
    else this.said.length = 0;
  }

  #hear(stream: 1 | 2, output: Output): Output {
    return {
      write: (text) => {
        this.#note(stream, text);
        return output.write(text);
      },
      get isTTY() {
        return output.isTTY === true;
      },
      get columns() {
        // A terminal that was never told its size says 0.
        return output.columns || 80;
      },
    };
  }
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: it is escape sequences that are looked for
const movesCursor = /\u001b(?!\[[0-9;]*m)/;
