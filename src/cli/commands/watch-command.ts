/**
 * Watch mode at the terminal: one build after the other, a line for each, keys, and what a user wants done after each
 * success. It knows the engine's watch, and nothing of how changes are noticed.
 */
import {
  type Cycle,
  type Graph,
  type Target,
  type Task,
  Watch,
  type WatchEvent,
} from "../../engine/index.ts";
import { UsageError } from "../../errors/index.ts";
import { type Artifact, artifactsOf } from "../output/artifact.ts";
import { type Display, openDisplay } from "../output/display.ts";
import { encodeWatchEvent } from "../output/event-stream.ts";
import { RunLogWriter } from "../output/run-log.ts";
import type { Session } from "../session.ts";
import type { Kept, Told } from "../start.ts";
import { callBack } from "../terminal/attention.ts";
import { statusOf } from "../terminal/shutdown.ts";
import { counted } from "../terminal/style.ts";
import { AfterBuild } from "./after-build.ts";
import { CycleRecord } from "./cycle-record.ts";
import { loopError } from "./loop-error.ts";
import { nextProgram } from "./next-program.ts";
import { type SessionCache, sessionCache } from "./remote-cache.ts";
import { pressWatchKey, type WatchActions } from "./watch-keys.ts";

/** For a command that uses what is watched. */
interface WatchUse {
  /** Called after each build that did something, before anything is said of it. */
  readonly use: () => Promise<void>;
  readonly kept: Kept;
}

/** Watches the task that a command serves until it is ended; returns the exit status. */
export async function watchServed(session: Session, served: Task, use: WatchUse): Promise<number> {
  return await new WatchScreen(session, [served], use).run();
}

/** Watches until it is ended; returns the exit status. */
export async function watchTargets(session: Session, targets: readonly Target[]): Promise<number> {
  const command = targets.find((target) => target.kind === "command");
  if (command !== undefined) {
    throw new UsageError(`${command.name} is a command, which always runs and cannot be watched`, {
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
  readonly #afterBuild: AfterBuild;
  readonly #remote: SessionCache | undefined;
  #display: Display | undefined;
  #record = new CycleRecord();
  /** The last cycle in which anything happened: what `w` and `l` tell of. */
  #told: Told;
  #log: RunLogWriter;
  #cycles = 0;
  /** The last build failed, or the definitions were not in order: that all is well again is worth a line. */
  #failing = false;
  #status = 0;
  readonly #use: WatchUse | undefined;

  constructor(session: Session, targets: readonly Task[], use?: WatchUse) {
    const { request, continued } = session;
    this.#use = use;
    this.#session = session;
    this.#targets = targets;
    this.#log = new RunLogWriter(session.workspace.state);
    this.#told = continued?.told ?? new CycleRecord();
    this.#afterBuild = new AfterBuild(session, continued?.machine, (line) => this.#say(line));
    this.#remote = sessionCache(session, { onWarning: (message) => this.#say(message) });
    this.#watch = new Watch(session.workspace, {
      request: (force) => ({
        targets,
        variant: request.variant,
        values: session.freshValues(),
        force: force ?? (this.#cycles <= 1 && continued === undefined ? request.force : new Set()),
        keepGoing: request.keepGoing,
        ...(request.jobs === undefined ? {} : { jobs: request.jobs }),
        audit: request.audit,
        ...(this.#remote === undefined ? {} : { remote: this.#remote }),
        ...(this.#display === undefined ? {} : { hurry: this.#display.hurry }),
        command: session.command,
      }),
      sources: session.sources,
      ...(continued === undefined ? {} : { guard: continued.guard }),
      signal: this.#stop.signal,
      onBuildEvent: (event) => {
        this.#record.onEvent(event);
        this.#log.onEvent(event);
        this.#display?.onEvent(event);
      },
      onEvent: (event) => this.#onEvent(event),
    });
  }

  async run(): Promise<number> {
    const { io, continued, request } = this.#session;
    this.#afterBuild.check();
    const ignoreShutdown = io.onShutdown((shutdown) => this.#end(statusOf(shutdown)));
    // During a build the engine's own listener handles stray errors.
    const onStray = (error: unknown): void => {
      if (process.listeners("uncaughtException").at(-1) === onStray)
        this.#say(this.#session.failure.of(error));
    };
    process.on("uncaughtException", onStray);
    const stopListening = (): void => {
      ignoreShutdown();
      process.off("uncaughtException", onStray);
    };
    const ended = continued?.take();
    if (ended !== undefined) this.#end(ended);
    const actions = this.#actions();
    const stopReading = request.json ? undefined : io.onKey?.((key) => pressWatchKey(key, actions));
    let first = continued;
    try {
      for (;;) {
        const end = await this.#watch.run(first);
        first = undefined;
        if (end.kind === "stopped") break;
        const next = await nextProgram(this.#session, end.changes, (line) => this.#say(line));
        if (this.#stop.signal.aborted) break;
        if (!("main" in next)) {
          this.#failing = true;
          await this.#watch.keepDefinitions(next);
          continue;
        }
        await Promise.all([this.#watch.close(), this.#remote?.end(this.#stop.signal)]);
        stopReading?.();
        const { changes, startedAt } = end;
        const machine = await this.#afterBuild.handOver();
        const take = (): number | undefined => {
          stopListening();
          return this.#stop.signal.aborted ? this.#status : undefined;
        };
        const { guard } = this.#watch;
        const kept = this.#use?.kept ?? {};
        const continued = { changes, startedAt, machine, kept, guard, told: this.#told, take };
        return await next.main({ ...next.start, noted: this.#session.noted, continued }, io);
      }
    } finally {
      stopReading?.();
      stopListening();
      this.#display?.close();
      await Promise.all([this.#watch.close(), this.#afterBuild.end(), this.#remote?.end(this.#stop.signal)]);
    }
    return this.#status;
  }

  async #onEvent(event: WatchEvent): Promise<void> {
    const { io, request, style, failure, continued } = this.#session;
    switch (event.type) {
      case "watch-ready":
        if (continued === undefined && !request.quiet) {
          const keys = io.onKey === undefined ? "Ctrl-C stops it" : "? lists the keys";
          this.#say(style.dim(`watching ${counted(event.directories, "directory")}; ${keys}`));
        }
        break;
      case "cycle-started":
        this.#cycles += 1;
        this.#record = new CycleRecord();
        this.#log = new RunLogWriter(this.#session.workspace.state);
        this.#display = openDisplay(this.#session, { fresh: false });
        break;
      case "cycle-finished":
        await this.#finish(event);
        break;
      case "loop":
        this.#closeDisplay();
        this.#say(failure.of(loopError(event.loop)));
        this.#say(`${style.red("✗")} build cancelled; waiting for another change`);
        break;
      case "unchanged":
        break;
    }
    // Last, so that its readers can rely on everything before it.
    if (request.json && event.type !== "cycle-finished") io.stdout.write(`${encodeWatchEvent(event)}\n`);
  }

  async #finish(cycle: Cycle): Promise<void> {
    const { io, request, style, failure } = this.#session;
    const record = this.#record;
    if (cycle.error !== undefined) this.#say(failure.of(cycle.error));
    const artifacts = cycle.outcome === "succeeded" ? await this.#artifacts(cycle.graph) : [];
    this.#display?.record(artifacts);
    this.#closeDisplay();
    this.#log.write(this.#session.command);
    const asked = cycle.changes.length === 0;
    const begins = this.#cycles === 1;
    const first = begins && this.#session.continued === undefined;
    const happened = record.didSomething || cycle.error !== undefined || this.#failing;
    if (cycle.outcome === "succeeded" && (happened || begins)) await this.#use?.use();
    this.#failing = cycle.outcome === "failed";
    if (record.didSomething || cycle.error !== undefined || asked) this.#told = record;
    // Changed definitions were loaded even where they change nothing else.
    if (happened || asked || begins) {
      if (!request.json) this.#say(record.summaryLine(cycle, first, artifacts, style));
      callBack(io, cycle.seconds, !request.quiet && !request.json);
      if (cycle.outcome === "failed") this.#say(style.dim("waiting for a change"));
    }
    if (cycle.outcome === "succeeded" && (happened || first)) await this.#afterBuild.succeeded(artifacts);
    if (cycle.outcome === "failed" && happened) await this.#afterBuild.failed();
    if (request.json) io.stdout.write(`${encodeWatchEvent(cycle, artifacts)}\n`);
  }

  async #artifacts(graph: Graph | undefined): Promise<readonly Artifact[]> {
    return graph === undefined ? [] : artifactsOf(this.#session.workspace.state, this.#targets, graph);
  }

  #actions(): WatchActions {
    const { style } = this.#session;
    const say = (...lines: readonly string[]): void => {
      for (const line of lines) this.#say(line);
    };
    const sayAll = (lines: Iterable<string>, none: string): void => {
      const all = [...lines];
      say(...(all.length === 0 ? [none] : all));
    };
    return {
      rerun: () => this.#watch.rerun(),
      rerunAll: () => this.#watch.rerun("all"),
      sayWhy: () => sayAll(this.#told.reasonLines(style), "nothing ran"),
      sayLog: () => sayAll(this.#told.outputLines(style), "nothing was printed"),
      quit: () => this.#end(0),
      say,
    };
  }

  #end(status: number): void {
    if (!this.#stop.signal.aborted) this.#status = status;
    this.#stop.abort();
  }

  #closeDisplay(): void {
    this.#display?.close();
    this.#display = undefined;
  }

  #say(line: string): void {
    if (this.#display === undefined) this.#session.io.stderr.write(`${line}\n`);
    else this.#display.print(line);
  }
}
