/**
 * What a build without anything to do leaves for the next one: what it looked at, and what it said. The file itself is
 * the launcher's, which reads it before this program is loaded; here is only what it is made of.
 */
import { type BuildEvent, evidenceOf, type Graph } from "../engine/index.ts";
import type { Io, Output } from "./io.ts";
import { parametersOf } from "./option-table.ts";
import type { Session } from "./session.ts";

/** The launcher's side, `bin/up-to-date.js`. */
export interface UpToDateRecord {
  write(evidence: {
    readonly environment: readonly string[];
    readonly looks: ReadonlyMap<string, boolean>;
    readonly followed: readonly string[];
    readonly said: readonly Said[];
  }): void;
}

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
        return output.columns ?? 80;
      },
    };
  }
}

/** Whether the build did nothing but look, so that another one with the same evidence would say the same. */
export class Quietness {
  #quiet = true;

  onEvent(event: BuildEvent): void {
    this.#quiet &&= ["build-started", "task-fresh", "build-finished"].includes(event.type);
  }

  holds({ request }: Session): boolean {
    const wantsMore =
      request.json || request.verbose || request.trace !== undefined || request.audit !== "off";
    return this.#quiet && !wantsMore && request.summary === undefined;
  }
}

/** Leaves the record of a build that had nothing to do, unless some of its evidence is not known. */
export async function leaveRecord(session: Session, graph: Graph): Promise<void> {
  const { record, transcript, request, workspace, values } = session;
  const environment = transcript.environment;
  if (record === undefined || environment === undefined || !transcript.still) return;
  for (const parameter of parametersOf(workspace.taskfile))
    if (!(await values.mayBeRecorded(parameter))) return;
  const evidence = await evidenceOf(graph, workspace.state, values);
  if (evidence === undefined) return;
  const looks = new Map(evidence.looks);
  for (const source of session.sources) looks.set(source, true);
  record.write({
    environment,
    looks,
    followed: [...evidence.followed, ...request.read],
    said: transcript.said,
  });
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: it is escape sequences that are looked for
const movesCursor = /\u001b(?!\[[0-9;]*m)/;
