/** One run of a virtual machine: in this terminal, or watched until its console shows a text. */
import { StringDecoder } from "node:string_decoder";
import { UserError } from "../errors/index.ts";
import { ProcessGroups } from "./process-groups.ts";
import { emulator } from "./qemu.ts";

/** Milliseconds that QEMU has to end by itself. */
const graceMs = 1000;

/**
 * Runs QEMU with this terminal as its console, until the machine is switched off or the signal fires.
 * @throws UserError `boot-failed` when QEMU cannot run the machine
 */
export async function runInTerminal(args: readonly string[], signal: AbortSignal): Promise<void> {
  const groups = new ProcessGroups({ foreground: true });
  const child = groups.spawn(emulator, [...args], { stdio: ["inherit", "inherit", "inherit"] });
  const end = (): void => void groups.terminate(graceMs);
  signal.addEventListener("abort", end, { once: true });
  try {
    const status = await new Promise<number | null>((resolve, reject) => {
      child.once("error", reject);
      child.once("close", resolve);
    });
    if (!signal.aborted && status !== 0) throw failed(`status ${status}`, "");
  } finally {
    signal.removeEventListener("abort", end);
    await groups.terminate(graceMs);
  }
}

interface WatchOptions {
  readonly until: string;
  readonly timeoutMs: number;
  /** Called with each line of the console, without escape sequences. */
  readonly onLine: (line: string) => void;
  readonly signal: AbortSignal;
}

/** A line is cut at so many characters: a console may never end one. */
const longestLine = 64 * 1024;

/**
 * Runs QEMU until its console, on standard output, shows a text; the machine is ended then. Resolves to the milliseconds that took.
 * @throws UserError `boot-timeout`, `boot-failed`; rejects with the signal's reason when it fires
 */
export async function watchConsole(args: readonly string[], options: WatchOptions): Promise<number> {
  const { until, timeoutMs, onLine, signal } = options;
  signal.throwIfAborted();
  const groups = new ProcessGroups();
  const started = performance.now();
  const child = groups.spawn(emulator, [...args], { stdio: ["ignore", "pipe", "pipe"] });
  const decoder = new StringDecoder("utf8");
  let line = "";
  let complaint = "";
  try {
    return await new Promise<number>((resolve, reject) => {
      const timer = setTimeout(() => reject(lateError(options, line)), timeoutMs);
      const abort = (): void => reject(signal.reason);
      signal.addEventListener("abort", abort, { once: true });
      child.stderr?.on("data", (bytes: Buffer) => {
        complaint = (complaint + bytes.toString("utf8")).slice(-2000);
      });
      child.stdout?.on("data", (bytes: Buffer) => {
        line += decoder.write(bytes);
        const lines = line.split("\n");
        line = (lines.pop() ?? "").slice(-longestLine);
        for (const one of lines) onLine(plainText(one));
        if ([...lines, line].some((one) => plainText(one).includes(until)))
          resolve(performance.now() - started);
      });
      child.once("error", reject);
      child.once("close", (status) => {
        if (complaint.trim() === "") reject(endedError(until, timeoutMs));
        else reject(failed(`status ${status}`, complaint));
      });
      child.once("close", () => {
        clearTimeout(timer);
        signal.removeEventListener("abort", abort);
      });
    });
  } finally {
    if (line !== "") onLine(plainText(line));
    await groups.terminate(graceMs);
  }
}

/** Without carriage returns and the sequences that move a cursor or set colours (ECMA-48, 5.4). */
function plainText(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is removed
  return text.replace(/\u001b(?:\[[0-?]*[ -/]*[@-~]|[@-Z\\-_])|[\r\u0007]/g, "");
}

function lateError({ until, timeoutMs }: WatchOptions, line: string): UserError {
  return new UserError(`the console did not show "${until}" within ${timeoutMs / 1000} s`, {
    code: "boot-timeout",
    ...(line.trim() === "" ? {} : { where: `last line: ${plainText(line).trim().slice(-200)}` }),
    hint: "set another time with --timeout SECONDS",
  });
}

function endedError(until: string, timeoutMs: number): UserError {
  return new UserError(`the machine ended before its console showed "${until}"`, {
    code: "boot-failed",
    hint: `read the console's last lines above; the machine had ${timeoutMs / 1000} s`,
  });
}

function failed(how: string, complaint: string): UserError {
  const said = complaint.trim().split("\n").slice(-3).join("; ");
  return new UserError(`QEMU failed with ${how}${said === "" ? "" : `: ${said}`}`, {
    code: "boot-failed",
    hint: "read QEMU's message; --memory sets how much memory the machine gets",
  });
}
