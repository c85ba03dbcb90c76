/**
 * A terminal that a test can look at as a whole, resize and type into: one window of a tmux server of its own. It is spoken to
 * in control mode, where tmux tells of each output, so that nothing is waited for by time. It does not know what runs.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { usesPrograms } from "../support/programs.ts";

usesPrograms("tmux");

const patienceMs = 50_000;
let servers = 0;

export interface WindowOptions {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly columns?: number;
}

export class TerminalWindow {
  readonly #client: ChildProcess;
  /** Those who wait for the answer to a command; tmux answers in order. */
  readonly #answers: ((lines: readonly string[]) => void)[] = [];
  /** What tmux wrote down for each output; bytes below a space as `\033`. */
  #raw = "";
  #changed = (): void => {};
  #ended = false;

  /** Runs a command of the shell; when it is over its status is shown, and the window stays. */
  constructor(command: string, { cwd, env, columns = 80 }: WindowOptions) {
    servers += 1;
    const { PATH, TMPDIR } = process.env;
    const inside = `${command}; echo "status $?"; exec cat >/dev/null`;
    const words = ["-L", `screens-${process.pid}-${servers}`, "-f", "/dev/null", "-u", "-C", "new-session"];
    this.#client = spawn("tmux", [...words, "-x", String(columns), "-y", "40", inside], {
      cwd,
      env: { PATH, SHELL: "/bin/sh", LC_ALL: "C.UTF-8", ...(TMPDIR === undefined ? {} : { TMPDIR }), ...env },
      stdio: ["pipe", "pipe", "inherit"],
    });
    this.#read(this.#client);
    this.resize(columns);
  }

  /** Every byte that was shown, as tmux quotes them. */
  get raw(): string {
    return this.#raw;
  }

  type(text: string): void {
    const bytes = [...Buffer.from(text)].map((byte) => byte.toString(16).padStart(2, "0"));
    void this.#ask(`send-keys -H ${bytes.join(" ")}`);
  }

  resize(columns: number): void {
    void this.#ask(`refresh-client -C ${columns}x40`);
  }

  /** The whole screen, with what was above it; lines that the terminal had to break are whole. */
  async screen(): Promise<string> {
    const lines = await this.#ask("capture-pane -p -J -S -");
    return lines
      .map((line) => line.trimEnd())
      .join("\n")
      .trim();
  }

  /** The screen alone; tmux moves rows above it when lines are broken anew. */
  async visible(): Promise<string> {
    return (await this.#ask("capture-pane -p")).map((line) => line.trimEnd()).join("\n");
  }

  /** Waits until the screen matches, and gives it. */
  async shows(pattern: RegExp): Promise<string> {
    const deadline = performance.now() + patienceMs;
    for (;;) {
      const changed = new Promise<void>((resolve) => {
        this.#changed = resolve;
      });
      const screen = await this.screen();
      if (pattern.test(screen)) return screen;
      if (this.#ended) throw new Error(`ended without ${pattern}; the screen:\n${screen}`);
      const timer = new AbortController();
      const late = setTimeout(() => timer.abort(), deadline - performance.now());
      await Promise.race([changed, once(timer.signal, "abort")]);
      clearTimeout(late);
      if (timer.signal.aborted) throw new Error(`never saw ${pattern}; the screen:\n${screen}`);
    }
  }

  /** Ends the server with all that runs in it. */
  async end(): Promise<void> {
    if (this.#client.exitCode !== null) return;
    this.#client.stdin?.end("kill-server\n");
    await once(this.#client, "close");
  }

  #ask(command: string): Promise<readonly string[]> {
    return new Promise((resolve) => {
      this.#answers.push(resolve);
      this.#client.stdin?.write(`${command}\n`);
    });
  }

  #read(client: ChildProcess): void {
    let answer: string[] | undefined;
    // The first answer is to the command line's own `new-session`.
    this.#answers.push(() => {});
    client.once("close", () => {
      this.#ended = true;
      for (const resolve of this.#answers.splice(0)) resolve([]);
      this.#changed();
    });
    createInterface({ input: client.stdout ?? process.stdin }).on("line", (line) => {
      if (answer !== undefined) {
        if (!/^%(end|error) /.test(line)) answer.push(line);
        else {
          this.#answers.shift()?.(answer);
          answer = undefined;
        }
      } else if (line.startsWith("%begin ")) answer = [];
      else if (line.startsWith("%output ")) {
        this.#raw += line.slice(line.indexOf(" ", "%output ".length) + 1);
        this.#changed();
      } else if (line.startsWith("%layout-change ")) this.#changed();
    });
  }
}
