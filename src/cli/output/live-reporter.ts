/**
 * The moving part of a terminal's display: what runs now, for how long, and how far downloads are, redrawn below the
 * lines that stay. Only used where there is a terminal to draw on.
 */
import type { BuildEvent, Progress, TaskId } from "../../engine/index.ts";
import { printableName } from "../../errors/index.ts";
import { formatSeconds, hasColours, type Style, truncate } from "../terminal/style.ts";
import { nameOf } from "./plain-reporter.ts";
import { amountDone, progressText } from "./progress-text.ts";
import { RateMeter } from "./rate-meter.ts";
import { terminalText } from "./terminal-text.ts";

interface Screen {
  write(text: string): void;
  /** Asked each time: a terminal changes its size. */
  readonly columns: () => number;
}

interface Running {
  readonly startedAt: number;
  /** Seconds of the last run, where there was one. */
  expected: number | undefined;
  /** By item: `bash.tcz` and how far it is. */
  readonly items: Map<string, Progress>;
  readonly meter: RateMeter;
}

const redrawMs = 100;
const spinner = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];
const hideCursor = "\u001b[?25l";
const showCursor = "\u001b[?25h";

export class LiveDisplay {
  readonly #screen: Screen;
  readonly #style: Style;
  readonly #nameOf: (id: string) => string;
  readonly #running = new Map<TaskId, Running>();
  /** How many characters each line of the moving part has. */
  #drawn: readonly number[] = [];
  #frame = 0;
  /** The task whose commands use the terminal: nothing is drawn until it ends. */
  #interactive: TaskId | undefined;
  #timer: NodeJS.Timeout | undefined;

  /** `name` gives the name by which a task is shown. */
  constructor(screen: Screen, style: Style, name: (id: string) => string = nameOf) {
    this.#screen = screen;
    this.#style = style;
    this.#nameOf = name;
  }

  onEvent(event: BuildEvent): void {
    switch (event.type) {
      case "task-started":
        if (event.interactive === true) this.#yieldTerminal(event.task);
        else this.#entry(event.task).expected = event.expectedSeconds;
        break;
      case "task-progress":
        // A task may begin with some of its work before its turn comes.
        this.#entry(event.task).items.set(event.progress.item, event.progress);
        break;
      case "task-fresh":
      case "task-restored":
      case "task-skipped":
      case "task-done":
      case "task-failed":
      case "task-outdated":
        this.#running.delete(event.task);
        if (event.task === this.#interactive) this.#interactive = undefined;
        break;
      case "build-finished":
        this.close();
        break;
      default:
        break;
    }
  }

  /** Prints a line that stays, above the moving part. */
  print(line: string): void {
    this.#screen.write(`${this.#eraseText()}${terminalText(line, hasColours(this.#style))}\n`);
    this.#draw();
  }

  /** Removes the moving part and gives the cursor back. */
  close(): void {
    if (this.#timer === undefined) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#screen.write(`${this.#eraseText()}${showCursor}`);
  }

  #entry(id: TaskId): Running {
    const entry = this.#running.get(id) ?? {
      startedAt: performance.now(),
      expected: undefined,
      items: new Map(),
      meter: new RateMeter(),
    };
    this.#running.set(id, entry);
    this.#start();
    return entry;
  }

  #yieldTerminal(task: TaskId): void {
    this.close();
    this.#interactive = task;
  }

  #start(): void {
    if (this.#timer !== undefined || this.#interactive !== undefined) return;
    this.#screen.write(hideCursor);
    this.#timer = setInterval(() => this.#draw(), redrawMs);
    this.#timer.unref();
  }

  #eraseText(): string {
    // A terminal that has become narrower has broken the lines differently.
    const columns = Math.max(1, this.#screen.columns());
    const rows = this.#drawn.reduce((sum, length) => sum + Math.max(1, Math.ceil(length / columns)), 0);
    this.#drawn = [];
    return rows === 0 ? "" : `\u001b[${rows}A\u001b[0J`;
  }

  #draw(): void {
    if (this.#timer === undefined) return;
    this.#frame += 1;
    const lines = [...this.#running].map(([id, running]) => this.#line(id, running));
    const text = lines.map((line) => `${this.#style.cyan(line.slice(0, 1))}${line.slice(1)}\n`).join("");
    this.#screen.write(`${this.#eraseText()}${text}`);
    this.#drawn = lines.map((line) => line.length);
  }

  #line(id: TaskId, running: Running): string {
    const mark = spinner[this.#frame % spinner.length] ?? "";
    const seconds = (performance.now() - running.startedAt) / 1000;
    const head = `${this.#nameOf(id)} ${formatSeconds(seconds)}`;
    // Two blanks before it, and the last column stays free.
    const room = this.#screen.columns() - 5 - head.length;
    const items = [...running.items.values()];
    running.meter.add(seconds, amountDone(items));
    const { rate } = running.meter;
    const tail = progressText(items.map(safeItem), { seconds, rate, expected: running.expected, room });
    return truncate(`${mark} ${head}  ${tail}`, this.#screen.columns() - 1);
  }
}

/** Escapes the item's name, which may come from a list or a mirror. */
function safeItem(progress: Progress): Progress {
  return { ...progress, item: printableName(progress.item) };
}
