/**
 * What a user sees and may interrupt while something runs: events to the screen or as JSON, signals to the running work.
 */
import {
  type BuildEvent,
  type EventSink,
  isDigest,
  type Progress,
  type RemoteTraffic,
  type RemoteTransfer,
  type TaskId,
  taskId,
  type Workspace,
} from "../../engine/index.ts";
import type { Io } from "../terminal/io.ts";
import { type Shutdown, statusOf } from "../terminal/shutdown.ts";
import type { Style } from "../terminal/style.ts";
import { counted } from "../terminal/style.ts";
import type { Artifact } from "./artifact.ts";
import { BuildSummary } from "./build-summary.ts";
import { ciNotes } from "./ci-annotation.ts";
import { encodeArtifact, encodeEvent, encodeTraffic } from "./event-stream.ts";
import type { FailureText } from "./failure.ts";
import { LiveDisplay } from "./live-reporter.ts";
import { countsText, PlainReporter } from "./plain-reporter.ts";
import { Trace } from "./trace.ts";

export interface Display {
  readonly reporter: PlainReporter;
  readonly onEvent: EventSink;
  /** Prints a line for people, above whatever moves. */
  readonly print: (line: string) => void;
  /** Aborted when the program is to end. */
  readonly signal: AbortSignal;
  /** Aborted when it is said a second time. */
  readonly hurry: AbortSignal;
  /** Says what was made where events are printed; writes the trace and the summary, where they were asked for. */
  readonly record: (artifacts: readonly Artifact[], traffic?: RemoteTraffic) => void;
  /** Takes a request to the remote cache that is over, for the trace. */
  readonly onTransfer: (transfer: RemoteTransfer) => void;
  /** Shows how far the uploads are that the end of a build waits for, where there is a terminal to draw on. */
  readonly onUpload: (progress: Progress) => void;
  /** How a failed build ends: how much failed, and that nothing was lost. */
  readonly failureLine: () => string;
  /** Says what an interrupted build had done, and returns its exit status. */
  readonly endInterrupted: () => number;
  /** Shows what is still to be shown and ends the display; may be called again. */
  readonly close: () => void;
}

/** Lines that come in one turn of the event loop are written at once: a thousand fresh tasks are one write. */
class LineBuffer {
  readonly #write: (text: string) => void;
  #text = "";

  constructor(write: (text: string) => void) {
    this.#write = write;
  }

  add(line: string): void {
    if (this.#text === "") setImmediate(() => this.flush());
    this.#text += `${line}\n`;
  }

  flush(): void {
    if (this.#text !== "") this.#write(this.#text);
    this.#text = "";
  }
}

/** What is shown, and to whom. */
interface Shown {
  readonly io: Io;
  /** For standard error. */
  readonly style: Style;
  readonly failure: FailureText;
  readonly request: {
    readonly verbose: boolean;
    readonly quiet: boolean;
    readonly json: boolean;
    /** Files of reports, where they were asked for. */
    readonly trace?: string | undefined;
    readonly summary?: string | undefined;
  };
  readonly workspace: Pick<Workspace, "state">;
}

interface DisplayOptions {
  /** Whether a line is shown for each task that had nothing to do; it is unless said otherwise. */
  readonly fresh?: boolean;
  /** Whether nothing is said when the reader of the output has had enough, as of `task ls IMAGE | head`. */
  readonly quietPipe?: boolean;
  /** How a task is named; unless said otherwise by its name alone. */
  readonly nameOf?: (id: string) => string;
}

export function openDisplay(
  shown: Shown,
  { fresh = true, quietPipe = false, nameOf }: DisplayOptions = {},
): Display {
  const { io, style, request, workspace, failure } = shown;
  const interruption = new AbortController();
  const hurry = new AbortController();
  let shutdown: Shutdown | undefined;
  const write = (text: string): unknown => io.stderr.write(text);
  const draw = (text: string): unknown => (io.stderr.draw === undefined ? write(text) : io.stderr.draw(text));
  const screen = { write: draw, columns: () => io.stderr.columns ?? 80 };
  const live = usesLiveDisplay(shown) ? new LiveDisplay(screen, style, nameOf) : undefined;
  const lines = new LineBuffer(write);
  const print = (line: string): void => (live === undefined ? lines.add(line) : live.print(line));
  const reporter = new PlainReporter({
    style,
    failure,
    verbose: request.verbose,
    quiet: request.quiet || request.json,
    notes: !request.quiet,
    fresh,
    nameOf,
    compact: live === undefined ? undefined : screen,
    progressLines: live === undefined && !request.quiet,
    print,
    ci: ciNotes(io.env),
    draw: (line) => {
      lines.flush();
      draw(`${line}\n`);
    },
    logText: (digest) => (isDigest(digest) ? workspace.state.store.readText(digest) : undefined),
  });
  const trace = new Trace();
  const summary = new BuildSummary();
  let interactive: TaskId | undefined;
  /** The end of a build is the last of its events: what it made is said before. */
  let finished: BuildEvent | undefined;
  const sayFinished = (): void => {
    if (finished !== undefined && request.json) io.stdout.write(`${encodeEvent(finished)}\n`);
    finished = undefined;
  };
  const isQuiet = (): boolean => quietPipe && shutdown === "SIGPIPE";
  const stopListening = io.onShutdown((now) => {
    // The terminal has sent it to the command too, which decides what Ctrl-C means, as an editor does.
    if (interactive !== undefined && now === "SIGINT") return;
    if (shutdown !== undefined) {
      print(`${style.yellow("interrupted again:")} killing running tasks`);
      hurry.abort();
      // A third one finds nobody who listens, and ends the program itself.
      stopListening();
      return;
    }
    shutdown = now;
    if (!isQuiet()) print(`${style.yellow("interrupted:")} stopping running tasks`);
    interruption.abort();
  });
  return {
    reporter,
    print,
    signal: interruption.signal,
    hurry: hurry.signal,
    onEvent: (event: BuildEvent) => {
      if (event.type === "build-finished") finished = event;
      else if (request.json) io.stdout.write(`${encodeEvent(event)}\n`);
      if (request.trace !== undefined) trace.onEvent(event);
      summary.onEvent(event);
      interactive = interactiveAfter(event, interactive);
      live?.onEvent(event);
      reporter.onEvent(event);
    },
    record: (artifacts, traffic) => {
      if (request.json) {
        for (const artifact of artifacts) io.stdout.write(encodeArtifact(artifact));
        if (traffic !== undefined) io.stdout.write(encodeTraffic(traffic));
      }
      sayFinished();
      if (request.trace !== undefined) trace.write(request.trace, io.stdout);
      if (request.summary !== undefined) summary.write(request.summary, { artifacts, traffic }, io.stdout);
    },
    onTransfer: (transfer) => {
      if (request.trace !== undefined) trace.onTransfer(transfer);
    },
    onUpload: (progress) =>
      live?.onEvent({ type: "task-progress", task: taskId("remote cache", undefined), progress }),
    failureLine: () => {
      const { failed, skipped } = reporter.counts;
      const rest =
        skipped === 0
          ? ""
          : `, ${skipped} that need${skipped === 1 ? "s" : ""} ${failed === 1 ? "it" : "them"} skipped`;
      return `${style.red("failed:")} ${counted(failed, "task")}${rest}; earlier results are kept; fix the problem and run again, only the remaining tasks will run`;
    },
    endInterrupted: () => {
      const done = countsText(reporter.counts);
      if (!request.quiet && !request.json && !isQuiet())
        print(
          `${style.yellow("interrupted:")} ${done === "" ? "nothing was done" : `${done}, which is kept`}`,
        );
      return statusOf(shutdown ?? "SIGINT");
    },
    close: () => {
      sayFinished();
      lines.flush();
      live?.close();
      stopListening();
    },
  };
}

/** The interactive task that runs after an event, where `before` ran before it. */
function interactiveAfter(event: BuildEvent, before: TaskId | undefined): TaskId | undefined {
  switch (event.type) {
    case "task-started":
      return event.interactive === true ? event.task : before;
    case "task-done":
    case "task-failed":
    case "task-outdated":
      return event.task === before ? undefined : before;
    default:
      return before;
  }
}

function usesLiveDisplay({ io, request }: Shown): boolean {
  const { CI, TERM } = io.env;
  return (
    io.stderr.isTTY === true &&
    !request.quiet &&
    !request.json &&
    TERM !== "dumb" &&
    (CI === undefined || CI === "")
  );
}
