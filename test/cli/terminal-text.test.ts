/** Untrusted text is escaped before it reaches a terminal. */
import { describe, expect, it } from "vitest";
import { FailureText } from "../../src/cli/output/failure.ts";
import { LiveDisplay } from "../../src/cli/output/live-reporter.ts";
import { PlainReporter } from "../../src/cli/output/plain-reporter.ts";
import { RecordedOutput } from "../../src/cli/output/recorded-output.ts";
import { SourceStack } from "../../src/cli/output/source-stack.ts";
import { capturedLine, terminalText } from "../../src/cli/output/terminal-text.ts";
import { colourStyle, plainStyle, type Style } from "../../src/cli/terminal/style.ts";
import type { BuildEvent, TaskId } from "../../src/engine/index.ts";
import { UserError } from "../../src/errors/index.ts";

/** A colour, a window's title, a C1 control sequence, a bidirectional override, a bell, a byte that is not valid UTF-8. */
const hostile = "a\u001b[31mRED\u001b]0;pwn\u0007\u009b2J\u202efdp.exe\u2066\r\u0008\u007f\udce9";
/** Whether a terminal would do anything but show it; line feeds and tabs aside. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: it is control characters that are looked for
const acts = /[\0-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/;
const task = "fetch@dev" as TaskId;

function failureText(style: Style): FailureText {
  return new FailureText(style, false, new SourceStack({ directory: "/", packageRoot: "/" }, "/"));
}

/** All lines that the reporter prints for these events. */
function reported(style: Style, ...events: readonly BuildEvent[]): string {
  const lines: string[] = [];
  const reporter = new PlainReporter({
    ...{
      style,
      failure: failureText(style),
      verbose: false,
      quiet: false,
      notes: true,
      fresh: true,
      compact: undefined,
    },
    ...{ progressLines: true, print: (line) => lines.push(line), logText: () => undefined },
  });
  for (const event of events) reporter.onEvent(event);
  return lines.join("\n");
}

/** The text without the colours that the program itself puts on. */
function withoutOwnColours(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the program's own sequences
  return text.replace(/\u001b\[(?:1|2|22|31|32|33|36|39)m/g, "");
}

describe("a name that holds escape sequences is shown, and does nothing", () => {
  it("in errors: what failed, where, and the hint", () => {
    const error = new UserError(`bad ${hostile}`, { code: "usage", where: hostile, hint: hostile });
    const text = failureText(plainStyle).of(error, "task");
    expect(text).not.toMatch(acts);
    expect(text.split("\n")).toHaveLength(3);
    expect(text).toContain(
      "a\\x1b[31mRED\\x1b]0;pwn\\x07\\u009b2J\\u202efdp.exe\\u2066\\x0d\\x08\\u007f\\xe9",
    );
    expect(failureText(colourStyle).of(error)).not.toContain("\u001b[31mRED");
  });

  it("in notes, reasons and progress, coloured or not", () => {
    for (const style of [plainStyle, colourStyle]) {
      const text = reported(
        style,
        { type: "note", message: hostile },
        {
          ...{ type: "task-done", task, seconds: 1 },
          reasons: [{ kind: "output-missing", path: hostile }],
        } as BuildEvent,
        { type: "task-progress", task, progress: { item: hostile, done: 3, total: 3, unit: "items" } },
      );
      expect(text.split("\n")).toHaveLength(3);
      expect(text).not.toContain("\u001b[31mRED");
      expect(withoutOwnColours(text)).not.toMatch(acts);
    }
  });

  it("in the display that is redrawn", () => {
    const written: string[] = [];
    const display = new LiveDisplay({ write: (text) => written.push(text), columns: () => 300 }, plainStyle);
    display.onEvent({
      type: "task-progress",
      task,
      progress: { item: hostile, done: 1, total: 3, unit: "items" },
    });
    display.print(`note: ${hostile}`);
    display.close();
    // biome-ignore lint/suspicious/noControlCharactersInRegex: the cursor's own movements
    const shown = written.join("").replace(/\u001b\[(?:\d+A|0J|\?25[lh])/g, "");
    expect(shown).toContain("pwn");
    expect(shown).not.toMatch(acts);
  });

  it("in whatever is written to standard output or error, also by a command that takes no care", () => {
    const written: string[] = [];
    const output = { write: (text: string) => written.push(text) };
    const io = { stdout: output, stderr: output, env: { NO_COLOR: "1" }, cwd: "/" };
    const recordedOutput = new RecordedOutput(io as never);
    recordedOutput.io.stdout.write(`${hostile}\n\tnext\n`);
    recordedOutput.io.stderr.write(hostile);
    expect(written.join("")).not.toMatch(acts);
    expect(written[0]).toContain("\n\tnext\n");
    // What a later build without anything to do says again is the same.
    expect(recordedOutput.said.map(([, text]) => text).join("")).toBe(written.join(""));
  });

  it("in JSON, where it still means the same", () => {
    const written: string[] = [];
    const output = { write: (text: string) => written.push(text) };
    const recordedOutput = new RecordedOutput({ stdout: output, stderr: output, env: {}, cwd: "/" } as never);
    recordedOutput.io.stdout.write(`${JSON.stringify({ name: hostile })}\n`);
    expect(written.join("")).not.toMatch(acts);
    expect(JSON.parse(written.join(""))).toEqual({ name: hostile });
  });
});

describe("colours on a terminal", () => {
  it("are those of the program and of what it runs, and nothing that hides text or moves the cursor", () => {
    const green = colourStyle.green("✓");
    expect(terminalText(`${green} done`, true)).toBe(`${green} done`);
    expect(terminalText("\u001b[38;5;12mblue\u001b[0m", true)).toBe("\u001b[38;5;12mblue\u001b[0m");
    expect(terminalText("\u001b[8mhidden\u001b[1;8mtoo\u001b[2J", true)).toBe(
      "\\x1b[8mhidden\\x1b[1;8mtoo\\x1b[2J",
    );
    expect(terminalText(green, false)).toBe("\\x1b[32m✓\\x1b[39m");
  });

  it("of a program's own output end with its line, and are gone where there are none", () => {
    expect(capturedLine("\u001b[31merror: x", true)).toBe("\u001b[31merror: x\u001b[0m");
    expect(capturedLine("\u001b[31merror:\u001b[0m x", false)).toBe("error: x");
    expect(capturedLine("10 %\r100 %\r", true)).toBe("100 %");
    expect(capturedLine("\u001b]0;title\u0007text", true)).toBe("\\x1b]0;title\\x07text");
  });
});
