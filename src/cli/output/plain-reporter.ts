/**
 * A build as lines: stable, one for each thing that happened, for pipes and logs and for the lines that stay on a
 * terminal. It only reads events.
 */
import { type BuildEvent, describeReason, type Reason } from "../../engine/index.ts";
import { printable, printableName } from "../../errors/index.ts";
import { formatBytes, formatSeconds, hasColours, type Style, someOf } from "../terminal/style.ts";
import type { CiNotes } from "./ci-annotation.ts";
import type { FailureText } from "./failure.ts";
import { capturedLine } from "./terminal-text.ts";

interface ReporterOptions {
  readonly style: Style;
  readonly failure: FailureText;
  readonly verbose: boolean;
  readonly quiet: boolean;
  /** Say what a user should know, such as that another build is waited for. */
  readonly notes: boolean;
  /** Say of each task that has nothing to do that it has not. */
  readonly fresh: boolean;
  /** Name, time, reason: the short form for people who look on, on a terminal of so many columns. */
  readonly compact: { readonly columns: () => number } | undefined;
  /** Say each finished item of long work in a line, where no moving display shows it. */
  readonly progressLines: boolean;
  /** What a CI service shows beside the lines, where one runs this. */
  readonly ci?: CiNotes | undefined;
  /** How a task is named; default: `nameOf`. */
  readonly nameOf?: ((id: string) => string) | undefined;
  /** Writes a line, without its line feed, whose control sequences are meant. */
  readonly draw?: (line: string) => void;
  /** Writes a whole line, without its line feed, for people: standard error. */
  readonly print: (line: string) => void;
  /** The captured output of a task, by its digest. */
  readonly logText: (digest: string) => string | undefined;
}

interface Counts {
  fresh: number;
  restored: number;
  ran: number;
  failed: number;
  skipped: number;
  savedSeconds: number;
}

/** `2 rebuilt, 1 restored, 3 fresh`: what was done, without what there was none of. */
export function countsText({ ran, restored, fresh }: Counts): string {
  return [
    ...(ran === 0 ? [] : [`${ran} rebuilt`]),
    ...(restored === 0 ? [] : [`${restored} restored`]),
    ...(fresh === 0 ? [] : [`${fresh} fresh`]),
  ].join(", ");
}

/** The task's name alone: the variant is the same for all of a build. */
export function nameOf(id: string): string {
  return id.replace(/@[^@]*$/, "");
}

const reasonsShown = 3;

/** A reason as printable text: it names files and tools. */
export function reasonText(reason: Reason): string {
  return printableName(describeReason(reason));
}

/** Bytes: what is smaller has come before anybody could ask for it, and there are hundreds of such files. */
const worthALine = 100_000;

/** The reasons in one line: the first few, as far as there is room for more than one, and how many more there are. */
export function reasonLine(reasons: readonly Reason[], room = Number.POSITIVE_INFINITY): string {
  const needs = reasons.flatMap((reason) => (reason.kind === "need-reruns" ? [reason.need] : []));
  if (needs.length > 0 && needs.length === reasons.length) {
    return `depends on the outputs of ${someOf(needs)}`;
  }
  for (let count = Math.min(reasonsShown, reasons.length); ; count -= 1) {
    const more = reasons.length - count;
    const shown = reasons.slice(0, count).map(reasonText).join("; ");
    const line = more > 0 ? `${shown}; and ${more} more` : shown;
    if (line.length <= room || count <= 1) return line;
  }
}

export class PlainReporter {
  readonly #options: ReporterOptions;
  readonly #nameOf: (id: string) => string;
  readonly counts: Counts = { fresh: 0, restored: 0, ran: 0, failed: 0, skipped: 0, savedSeconds: 0 };
  readonly #notes = new Set<string>();
  readonly #finished = new Set<string>();
  /** For each task that was skipped the one that failed. */
  readonly #failures = new Map<string, string>();
  /** For each task that failed the names of those that were skipped. */
  readonly #skipped = new Map<string, readonly string[]>();

  constructor(options: ReporterOptions) {
    this.#options = options;
    this.#nameOf = options.nameOf ?? nameOf;
  }

  onEvent(event: BuildEvent): void {
    const { style } = this.#options;
    switch (event.type) {
      case "task-fresh":
        this.counts.fresh += 1;
        this.counts.savedSeconds += event.savedSeconds;
        if (this.#options.fresh) this.#outcome(style.dim("="), event.task, "fresh");
        break;
      case "task-restored":
        this.counts.restored += 1;
        this.counts.savedSeconds += event.savedSeconds;
        this.#outcome(
          style.cyan("↺"),
          event.task,
          event.maker === undefined ? "restored" : "restored from the remote cache",
          event.reasons,
        );
        if (event.log !== undefined) this.#output(event.task, this.#options.logText(event.log) ?? "");
        break;
      case "task-done":
        this.counts.ran += 1;
        this.#outcome(
          style.green("✓"),
          event.task,
          event.node === undefined ? "rebuilt" : `rebuilt on ${printable(event.node)}`,
          event.reasons,
          event.seconds,
        );
        break;
      case "task-failed":
        this.counts.failed += 1;
        this.#failed(this.#nameOf(event.task), event.error, event.output);
        break;
      case "task-skipped": {
        this.counts.skipped += 1;
        // It may be skipped because of one that was skipped itself.
        const failed = this.#failures.get(event.because) ?? event.because;
        this.#failures.set(event.task, failed);
        this.#skipped.set(failed, [...(this.#skipped.get(failed) ?? []), this.#nameOf(event.task)]);
        break;
      }
      case "note":
        if (this.#options.notes && !this.#notes.has(event.message))
          this.#options.print(`${style.yellow("note:")} ${printable(event.message)}`);
        this.#notes.add(event.message);
        break;
      case "lock-wait":
        if (!this.#options.notes) break;
        this.#options.print(
          `${style.yellow("note:")} waiting for another build in this workspace: ` +
            `process ${event.pid} on ${event.host} (${printable(event.command)})`,
        );
        break;
      case "task-output":
        this.#output(event.task, event.text);
        break;
      case "task-progress":
        if (this.#options.progressLines && event.progress.done === event.progress.total) {
          const { item, done, unit } = event.progress;
          if (unit === "bytes" && done < worthALine) break;
          if (this.#finished.has(`${this.#nameOf(event.task)} ${item}`)) break;
          this.#finished.add(`${this.#nameOf(event.task)} ${item}`);
          this.#say(
            `  ${style.dim(`${this.#nameOf(event.task)} |`)} ${printableName(item)}${unit === "bytes" ? ` ${formatBytes(done)}` : ""}`,
          );
        }
        break;
      case "task-outdated":
        this.#say(`${style.dim("↻")} ${this.#nameOf(event.task)}: cancelled, its inputs changed`);
        break;
      case "build-finished":
        // Only their number is printed: the failed task should stay in sight.
        if (this.#options.compact === undefined || this.#options.verbose)
          for (const [failed, tasks] of this.#skipped)
            this.#say(`${style.dim("-")} skipped, since ${this.#nameOf(failed)} failed: ${tasks.join(", ")}`);
        this.#skipped.clear();
        break;
      case "build-started":
      case "process-started":
      case "process-ended":
      case "task-started":
        break;
    }
  }

  /** `✓ overlay 0.08 s  overlay-src/etc/motd changed`, or in words, for a log. */
  #outcome(mark: string, id: string, verdict: string, reasons?: readonly Reason[], seconds?: number): void {
    const { style, compact } = this.#options;
    const took = seconds === undefined ? "" : formatSeconds(seconds);
    if (compact !== undefined) {
      const head = `  ${this.#nameOf(id)} ${took === "" ? verdict : took}  `;
      const why = reasons === undefined ? "" : reasonLine(reasons, compact.columns() - head.length);
      const name = verdict === "fresh" ? style.dim(this.#nameOf(id)) : style.bold(this.#nameOf(id));
      this.#say(`${mark} ${name} ${took === "" ? verdict : took}${why === "" ? "" : style.dim(`  ${why}`)}`);
      return;
    }
    const why = reasons === undefined ? "" : reasonLine(reasons);
    const words = `${this.#nameOf(id)}: ${verdict}${why === "" ? "" : `, ${why}`}`;
    const tail = took === "" ? "" : ` ${style.dim(`(${took})`)}`;
    this.#say(`${mark} ${verdict === "fresh" ? style.dim(words) : words}${tail}`);
  }

  #failed(task: string, error: unknown, output: string): void {
    const { style, verbose, print, failure, ci, draw = print } = this.#options;
    // With --verbose the output was shown as it came.
    if (output !== "" && !verbose) {
      const fold = ci?.fold(`output of ${task}`);
      if (fold === undefined) print(style.dim(`--- output of ${task} ---`));
      else draw(fold.begin);
      for (const line of linesOf(output)) print(capturedLine(line, hasColours(style)));
      if (fold === undefined) print(style.dim("---"));
      else draw(fold.end);
    }
    print(failure.of(error, task));
    const annotation = ci?.annotation(error, task);
    if (annotation !== undefined) print(annotation);
  }

  /** What a task printed, as it comes or from the run that is restored: for `--verbose` only. */
  #output(task: string, text: string): void {
    const { style, verbose } = this.#options;
    if (!verbose || text === "") return;
    for (const line of linesOf(text))
      this.#say(`  ${style.dim(`${this.#nameOf(task)} |`)} ${capturedLine(line, hasColours(style))}`);
  }

  #say(line: string): void {
    if (!this.#options.quiet) this.#options.print(line);
  }
}

export function linesOf(text: string): readonly string[] {
  return text.replace(/\n$/, "").split("\n");
}
