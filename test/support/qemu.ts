/**
 * A virtual machine under QEMU's own emulation (no KVM needed), driven over its serial console.
 * Of what is booted it assumes that a login is busybox's, and that a shell prompt ends in `$ ` or `# `.
 */
import type { ChildProcess } from "node:child_process";
import { type BootMedium, emulator, ProcessGroups, qemuArguments } from "../../src/host/index.ts";
import { usesPrograms } from "./programs.ts";

usesPrograms("qemu-system-x86_64", "OVMF");

export type { BootMedium };

export interface QemuOptions {
  /** MiB, 1024 unless said otherwise. */
  readonly memory?: number;
  /** What looks for something to start; BIOS unless said otherwise. */
  readonly firmware?: "bios" | "uefi";
  /** Whether the machine reaches the host's loopback interface, as 10.0.2.2; not unless said so. */
  readonly reachesHost?: boolean;
  /** Whether a restart starts the machine again, instead of ending it. */
  readonly restarts?: boolean;
  /** Arguments after all others, e.g. a disk. */
  readonly extra?: readonly string[];
}

export interface CommandResult {
  /** What the command wrote to the terminal, lines ended by `\n`, without the last one's end. */
  readonly output: string;
  /** Exit status. */
  readonly status: number;
}

/** The file name of the emulator; tests that need it are skipped where it is missing. */
export const qemuBinary = emulator;

/** OVMF with its variables in one file, as Debian and Ubuntu have it; what it remembers is lost with the machine. */
export const uefiFirmware = "/usr/share/ovmf/OVMF.fd";

/**
 * Starts a machine with two processors, no display and a user-mode network that reaches nothing but QEMU's own
 * DHCP server, unless the options say otherwise. The caller closes it, in a `finally` or an `afterAll`.
 */
export function bootQemu(medium: BootMedium, options: QemuOptions = {}): QemuMachine {
  const uefi = options.firmware === "uefi" ? { uefi: uefiFirmware } : {};
  const args = qemuArguments({
    ...{ medium, memory: options.memory ?? 1024, ...uefi, kvm: false, display: false },
    ...{ console: "terminal", isolated: options.reachesHost !== true, once: options.restarts !== true },
  });
  return new QemuMachine([...args, ...(options.extra ?? [])]);
}

export class QemuMachine {
  readonly #groups = new ProcessGroups();
  readonly #process: ChildProcess;
  #log = "";
  /** Everything before it was matched by an earlier `expect`. */
  #position = 0;
  #ended: string | undefined;
  #commands = 0;
  readonly #waiting = new Set<() => void>();

  constructor(args: readonly string[]) {
    this.#process = this.#groups.spawn(qemuBinary, [...args], { stdio: ["pipe", "pipe", "pipe"] });
    for (const stream of [this.#process.stdout, this.#process.stderr]) {
      stream?.setEncoding("latin1");
      stream?.on("data", (text: string) => {
        this.#log += text;
        this.#wake();
      });
    }
    // What is sent to a machine that has just ended is lost; `expect` reports the end.
    this.#process.stdin?.on("error", () => {});
    this.#process.on("error", (error) => this.#end(error.message));
    this.#process.on("close", (code, signal) => this.#end(`exit status ${code ?? signal}`));
  }

  /** The whole console log so far. */
  get log(): string {
    return this.#log;
  }

  /**
   * Waits until the console shows `pattern` after what was matched last; resolves with the match.
   * Rejects, with the whole console log, after `timeoutMs` or when the machine ends.
   */
  async expect(pattern: RegExp | string, timeoutMs = 120_000): Promise<RegExpExecArray> {
    const wanted = typeof pattern === "string" ? new RegExp(quotePattern(pattern)) : pattern;
    const match = await this.#find(wanted, performance.now() + timeoutMs);
    if (match !== undefined) return match;
    if (this.#ended !== undefined) throw this.#failure(`the machine ended (${this.#ended}) before ${wanted}`);
    throw this.#failure(`no ${wanted} within ${timeoutMs} ms`);
  }

  /** As `expect`, but resolves with nothing at the deadline (as `performance.now()` counts) or when the machine ends. */
  async #find(wanted: RegExp, deadline: number): Promise<RegExpExecArray | undefined> {
    for (;;) {
      const match = wanted.exec(this.#log.slice(this.#position));
      if (match !== null) {
        this.#position += match.index + match[0].length;
        return match;
      }
      if (this.#ended !== undefined || performance.now() >= deadline) return undefined;
      await this.#changed(deadline - performance.now());
    }
  }

  /** Types a line. */
  send(line: string): void {
    this.#process.stdin?.write(`${line}\r`);
  }

  /** Logs in at the prompt that is shown or will be. Rejects when the password is refused. */
  async login(user: string, password: string, timeoutMs = 120_000): Promise<void> {
    const answer = await this.answerLogin(user, password, timeoutMs);
    if (!/[$#]/.test(answer)) throw this.#failure(`${user} cannot log in with this password`);
  }

  /**
   * Types a name and, when asked, a password at the prompt that is shown or will be. Resolves with what came of it: a
   * shell's prompt, or busybox's words for a refusal (to its crypt(3) the asterisk of a locked user is a bad salt).
   */
  async answerLogin(user: string, password: string, timeoutMs = 120_000): Promise<string> {
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      await this.expect(/login: /, deadline - performance.now());
      const asked = await this.#insist(user, /[Pp]assword: |incorrect|[$#] /, deadline);
      if (!asked.includes("assword")) return asked;
      const answer = await this.#insist(password, /incorrect|bad salt|\S+ login: |[$#] /, deadline);
      if (!answer.endsWith("login: ")) return answer;
      // The next getty may throw away the last words of a login that ended: nothing is known, so all is typed again.
      this.#position -= answer.length;
    }
  }

  /**
   * Types a line until something comes of it. getty and login throw away what was typed while they set the terminal up, so a line
   * that is not heard is typed again, well before the login gives up (60 s).
   */
  async #insist(line: string, answers: RegExp, deadline: number): Promise<string> {
    for (;;) {
      this.send(line);
      const answer = await this.#find(answers, Math.min(performance.now() + 20_000, deadline));
      if (answer !== undefined) return answer[0];
      if (this.#ended !== undefined || performance.now() >= deadline)
        throw this.#failure("no answer to what was typed at the login");
    }
  }

  /** Runs a command line in the shell that is logged in, and waits for its end. */
  async run(command: string, timeoutMs = 120_000): Promise<CommandResult> {
    this.#commands += 1;
    const mark = `mark-${this.#commands}-`;
    // The empty quotes keep the terminal's echo of this line from looking like what it prints.
    this.send(`echo ${mark}''begin; ${command}; echo ${mark}''end:$?:`);
    const [all, output = "", status] = await this.expect(
      new RegExp(`${mark}begin\\r?\\n([^]*?)${mark}end:(\\d+):`),
      timeoutMs,
    );
    if (status === undefined) throw this.#failure(`no status in ${all}`);
    // Typed before the shell reads again, a line would be echoed twice.
    await this.expect(/[$#] /, timeoutMs);
    return { output: output.replaceAll("\r", "").replace(/\n$/, ""), status: Number(status) };
  }

  /** Resolves when the machine has switched itself off. */
  async ended(timeoutMs = 60_000): Promise<void> {
    const deadline = performance.now() + timeoutMs;
    while (this.#ended === undefined) {
      if (performance.now() >= deadline) throw this.#failure(`still running after ${timeoutMs} ms`);
      await this.#changed(deadline - performance.now());
    }
  }

  /** Ends the machine, whatever it does; may be called twice. */
  async close(): Promise<void> {
    await this.#groups.terminate(1000);
  }

  #end(reason: string): void {
    this.#ended ??= reason;
    this.#wake();
  }

  #wake(): void {
    for (const wake of [...this.#waiting]) wake();
  }

  /** Resolves at the next output, at the end, or after `timeoutMs`. */
  #changed(timeoutMs: number): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        clearTimeout(timer);
        this.#waiting.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, Math.max(0, timeoutMs));
      this.#waiting.add(wake);
    });
  }

  #failure(what: string): Error {
    return new Error(`${what}\n--- console ---\n${this.#log}\n--- end of console ---`);
  }
}

function quotePattern(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
}
