/** A terminal of its own for a program, by util-linux's `script`: keys go in, what is shown comes out. */
import { spawn } from "node:child_process";
import { stripVTControlCharacters } from "node:util";
import { usesPrograms } from "../support/programs.ts";

usesPrograms("script");

export interface Terminal {
  /** Types text; `\t`, `\r` and control characters are keys. */
  readonly type: (keys: string) => void;
  /** Waits until what was shown since the last such wait matches; fails with all that was shown. */
  readonly shows: (pattern: RegExp) => Promise<string>;
  /** The exit status. */
  readonly ended: Promise<number | null>;
  /** Ends what runs, for when a test has seen enough. */
  readonly end: () => void;
}

const patienceMs = 50_000;

/** Runs a command line of the shell in a terminal of 80 columns, and of 40 rows unless said otherwise. */
export function openTerminal(
  command: string,
  options: { readonly cwd: string; readonly env: Readonly<Record<string, string>>; readonly rows?: number },
): Terminal {
  const { rows = 40 } = options;
  const { PATH, TMPDIR } = process.env;
  const child = spawn("script", ["-qefc", `stty cols 80 rows ${rows}; exec ${command}`, "/dev/null"], {
    cwd: options.cwd,
    env: {
      PATH,
      ...(TMPDIR === undefined ? {} : { TMPDIR }),
      TERM: "xterm",
      SHELL: "/bin/sh",
      ...options.env,
    },
    stdio: ["pipe", "pipe", "inherit"],
  });
  let shown = "";
  let seen = 0;
  let changed = (): void => {};
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    shown += stripVTControlCharacters(text);
    changed();
  });
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  void ended.then(() => changed());
  return {
    type: (keys) => child.stdin.write(keys),
    ended,
    end: () => child.kill("SIGKILL"),
    shows: (pattern) =>
      new Promise((resolve, reject) => {
        const fail = (why: string) => reject(new Error(`${why} ${pattern}; shown:\n${shown.slice(seen)}`));
        const timer = setTimeout(() => fail("never saw"), patienceMs);
        const look = (): void => {
          const match = pattern.exec(shown.slice(seen));
          if (match === null) {
            if (child.exitCode !== null) fail("ended without");
            return;
          }
          clearTimeout(timer);
          changed = () => {};
          seen += match.index + match[0].length;
          resolve(match[0]);
        };
        changed = look;
        look();
      }),
  };
}
