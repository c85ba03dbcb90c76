/**
 * Watch mode at the terminal: one build after the other, a line for each, keys, and what a user wants done after each
 * success. It knows the engine's watch, and nothing of how changes are noticed.
 */
import {
  type Cycle,
  type Graph,
  type Loop,
  type Target,
  type Task,
  Watch,
  type WatchEvent,
} from "../engine/index.ts";
import { UsageError, UserError } from "../errors/index.ts";
import { AfterSuccess } from "./after-success.ts";
import { type Artefact, artefactsOf } from "./artefact.ts";
import { CycleRecord } from "./cycle-record.ts";
import { type Display, openDisplay } from "./display.ts";
import { encodeWatchEvent } from "./event-stream.ts";
import { renderFailure } from "./failure.ts";
import { nextProgram } from "./next-program.ts";
import type { Session } from "./session.ts";

const keyHelp = [
  "r  build again",
  "f  build again, everything, although nothing changed",
  "w  why: every reason of the last build",
  "l  log: what its tasks printed",
  "q  quit",
];

/** Watches until it is ended; returns the exit status. */
export async function watchTargets(session: Session, targets: readonly Target[]): Promise<number> {
  const command = targets.find((target) => target.kind === "command");
  if (command !== undefined) {
    throw new UsageError(`${command.name} is a command: it always runs, and cannot be watched`, {
      code: "watch-command",
      hint: "watch tasks only",
    });
  }
  return await new WatchScreen(session, targets as readonly Task[]).run();
}

class WatchScreen {
  readonly #session: Session;
  readonly #targets: readonly Task[];
  readonly #stop = new AbortController();
  readonly #watch: Watch;
  readonly #afterSuccess: AfterSuccess;
  #display: Display | undefined;
  #record = new CycleRecord();
  /** The last cycle in which anything happened: what `w` and `l` tell of. */
  #told = new CycleRecord();
  #cycles = 0;
  #failing = false;
  #status = 0;

  constructor(session: Session, targets: readonly Task[]) {
    const { request, continued } = session;
    this.#session = session;
    this.#targets = targets;
    this.#afterSuccess = new AfterSuccess(session, continued?.machine, (line) => this.#say(line));
    this.#watch = new Watch(session.workspace, {
      request: (force) => ({
        targets,
        variant: request.variant,
        values: session.freshValues(),
        force: force ?? (this.#cycles <= 1 && continued === undefined ? request.force : new Set()),
        keepGoing: request.keepGoing,
        ...(request.jobs === undefined ? {} : { jobs: request.jobs }),
        audit: request.audit,
        ...(this.#display === undefined ? {} : { hurry: this.#display.hurry }),
        command: session.command,
      }),
      sources: session.sources,
      signal: this.#stop.signal,
      onBuildEvent: (event) => {
        this.#record.onEvent(event);
        this.#display?.onEvent(event);
      },
      onEvent: (event) => this.#onEvent(event),
    });
  }

  async run(): Promise<number> {
    const { io, continued, request } = this.#session;
    this.#afterSuccess.check();
    const stopListening = io.onSignal((signal) => this.#end(signal === "SIGTERM" ? 143 : 130));
    const stopReading = request.json ? undefined : io.onKey?.((key) => this.#press(key));
    let first = continued;
    try {
      for (;;) {
        const end = await this.#watch.run(first);
        first = undefined;
        if (end.kind === "stopped") break;
        const next = await nextProgram(this.#session, end.changes, (line) => this.#say(line));
        if (next === undefined) {
          this.#watch.keepDefinitions();
          continue;
        }
        await this.#watch.close();
        stopReading?.();
        stopListening();
        const { changes, startedAt } = end;
        const handover = { changes, startedAt, machine: await this.#afterSuccess.handOver() };
        return await next.main({ ...next.start, continued: handover }, io);
      }
    } finally {
      stopReading?.();
      stopListening();
      this.#display?.close();
      await Promise.all([this.#watch.close(), this.#afterSuccess.end()]);
    }
    return this.#status;
  }

  async #onEvent(event: WatchEvent): Promise<void> {
    const { io, request, style, continued } = this.#session;
    switch (event.type) {
      case "watch-ready":
        if (continued === undefined && !request.quiet) {
          const keys = io.onKey === undefined ? "Ctrl-C ends it" : "? lists the keys";
          this.#say(style.dim(`watching ${event.folders} folders; ${keys}`));
        }
        break;
      case "cycle-started":
        this.#cycles += 1;
        this.#record = new CycleRecord();
        this.#display = openDisplay(this.#session, { fresh: false });
        break;
      case "cycle-finished":
        await this.#finish(event);
        break;
      case "loop":
        this.#closeDisplay();
        this.#say(renderFailure(loopError(event.loop), style, { verbose: false }));
        this.#say(`${style.red("✗")} stopped; waiting for another change`);
        break;
      case "unchanged":
        break;
    }
    // Last, so that whoever reads it can rely on all that goes before.
    if (request.json && event.type !== "cycle-finished") io.stdout.write(`${encodeWatchEvent(event)}\n`);
  }

  async #finish(cycle: Cycle): Promise<void> {
    const { io, request, style } = this.#session;
    const record = this.#record;
    if (cycle.error !== undefined) this.#say(renderFailure(cycle.error, style, { verbose: request.verbose }));
    const artefacts = cycle.outcome === "succeeded" ? await this.#artefacts(cycle.graph) : [];
    this.#display?.record(artefacts);
    this.#closeDisplay();
    const asked = cycle.changes.length === 0;
    const first = this.#cycles === 1 && this.#session.continued === undefined;
    // That all is well again is worth a line, too.
    const happened = record.didSomething || cycle.error !== undefined || this.#failing;
    this.#failing = cycle.outcome === "failed";
    if (happened || asked) {
      this.#told = record;
      if (!request.json) this.#say(record.summaryLine(cycle, first, artefacts, style));
      if (cycle.outcome === "failed") this.#say(style.dim("waiting for a change"));
    }
    if (cycle.outcome === "succeeded" && (happened || first)) await this.#afterSuccess.begin(artefacts);
    if (request.json) io.stdout.write(`${encodeWatchEvent(cycle, artefacts)}\n`);
  }

  async #artefacts(graph: Graph | undefined): Promise<readonly Artefact[]> {
    return graph === undefined ? [] : artefactsOf(this.#session, this.#targets, graph);
  }

  #press(key: string): void {
    const { style } = this.#session;
    switch (key) {
      case "r":
        this.#watch.rerun();
        break;
      case "f":
        this.#watch.rerun("all");
        break;
      case "w":
        this.#sayAll([...this.#told.reasonLines(style)], "nothing ran");
        break;
      case "l":
        this.#sayAll([...this.#told.outputLines(style)], "nothing was printed");
        break;
      case "q":
        this.#end(0);
        break;
      case "?":
      case "h":
        this.#sayAll(keyHelp, "");
        break;
      case "\r":
        this.#say("");
        break;
      default:
        break;
    }
  }

  #end(status: number): void {
    if (!this.#stop.signal.aborted) this.#status = status;
    this.#stop.abort();
  }

  #closeDisplay(): void {
    this.#display?.close();
    this.#display = undefined;
  }

  #sayAll(lines: readonly string[], none: string): void {
    for (const line of lines.length === 0 ? [none] : lines) this.#say(line);
  }

  #say(line: string): void {
    if (this.#display === undefined) this.#session.io.stderr.write(`${line}\n`);
    else this.#display.print(line);
  }
}

function loopError({ task, path: file }: Loop): UserError {
  if (task === undefined) {
    return new UserError("the build goes round in circles: a file changes each time", {
      code: "watch-loop",
      where: file,
      hint: "find out which task writes it, and let it write elsewhere",
    });
  }
  return new UserError(`${task} changes its own input each time it runs`, {
    code: "watch-loop",
    where: file,
    hint: "let it write to its outputs or its scratch folder only",
  });
}
