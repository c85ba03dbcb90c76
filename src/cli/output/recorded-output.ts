/**
 * Passes on all output of the program, escaped for terminals, and records it together with the variables that were read,
 * for, as the record of a build without anything to do.
 */
import type { Io, Output } from "../terminal/io.ts";
import { plainStyle, styleFor } from "../terminal/style.ts";
import { terminalText } from "./terminal-text.ts";

/** Text for standard output (1) or error (2); `elapsedMark` in it stands for the time that it took. */
export type RecordedWrite = readonly [stream: 1 | 2, text: string];

const elapsedMark = "\0";

/** Streams and environment that remember what was said and what was asked for. */
export class RecordedOutput {
  readonly io: Io;
  readonly said: RecordedWrite[] = [];
  /** Whether nothing but lines was written; when not, nothing is remembered. */
  isReplayable = true;
  /** Every search for a tool reads PATH. */
  readonly #asked = new Set(["PATH"]);
  #askedForAll = false;
  readonly #env: NodeJS.ProcessEnv;

  constructor(io: Io) {
    this.#env = io.env;
    this.io = {
      ...io,
      stdout: this.#hear(1, io.stdout),
      stderr: this.#hear(2, io.stderr),
      variables: (prefix) => {
        this.#asked.add(`${prefix}*`);
        return io.variables(prefix);
      },
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

  /** Names of the variables that were asked for, `MK_BUNDLE_*` for all that begin so; undefined when all of them were. */
  get environment(): readonly string[] | undefined {
    return this.#askedForAll ? undefined : [...this.#asked];
  }

  /** Writes a text for people in which the elapsed time stands, so that a later replay can tell its own. */
  writeTimed(text: (elapsed: string) => string, elapsed: string): void {
    this.io.stderr.write(text(elapsed));
    const marked = text(elapsedMark).split(elapsedMark).map(this.#safe(this.io.stderr)).join(elapsedMark);
    if (this.isReplayable) this.said.splice(-1, 1, [2, marked]);
  }

  /** A record is for what stays on the screen: colours yes, a cursor that moves no. */
  #note(stream: 1 | 2, text: string): void {
    if (movesCursor.test(text)) this.isReplayable = false;
    if (this.isReplayable) this.said.push([stream, text]);
    else this.said.length = 0;
  }

  #safe(output: Output): (text: string) => string {
    const colours = styleFor(output, this.#env) !== plainStyle;
    return (text) => terminalText(text, colours);
  }

  #hear(stream: 1 | 2, output: Output): Output {
    const safe = this.#safe(output);
    const draw = (text: string): unknown => {
      this.#note(stream, text);
      return output.write(text);
    };
    return {
      write: (text) => draw(safe(text)),
      draw,
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
