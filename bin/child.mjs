// Programs that the set-up scripts start: on the user's terminal or with their output kept, always without standard
// input, and never orphaned by a signal.
import { spawn } from "node:child_process";
import { SetupFailure } from "./setup-failure.mjs";

/**
 * @typedef {object} ChildOptions
 * @property {string} cwd Absolute path.
 * @property {"shown" | "shown-and-kept" | "errors-shown" | "kept"} output `shown` goes where ours goes; `shown-and-kept` too,
 *   and is kept beside; `errors-shown` keeps standard output; `kept` keeps both.
 * @property {NodeJS.ProcessEnv} [env] Default: ours.
 * @property {boolean} [own] Whether it leads a process group of its own and is killed when we are interrupted: for
 *   unshare(1), which ignores other signals and takes all that runs in its namespaces with it.
 */

/**
 * @typedef {object} ChildResult
 * @property {number} status Exit status; 128 and the signal's number when a signal ended it, 127 when it could not start.
 * @property {string} output What was kept, in the order of arrival.
 */

/** @type {Readonly<Record<string, number>>} */
const signalNumbers = { SIGHUP: 1, SIGINT: 2, SIGQUIT: 3, SIGKILL: 9, SIGTERM: 15 };

/**
 * Runs a program to its end; one that cannot be started has status 127. Throws `SetupFailure` with status 130 or 143
 * when we were interrupted meanwhile, after the program has ended in its own way.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {ChildOptions} options
 * @returns {Promise<ChildResult>}
 */
export function runChild(command, args, { cwd, output, env = process.env, own = false }) {
  return new Promise((resolve, reject) => {
    const out = output === "shown" ? "inherit" : "pipe";
    const err = output === "kept" || output === "shown-and-kept" ? "pipe" : "inherit";
    const child = spawn(command, args, { cwd, env, stdio: ["ignore", out, err], detached: own });
    let kept = "";
    for (const [stream, ours] of /** @type {const} */ ([
      [child.stdout, process.stdout],
      [child.stderr, process.stderr],
    ])) {
      if (stream === null) continue;
      stream.setEncoding("utf8");
      stream.on("data", (text) => {
        kept += text;
        if (output === "shown-and-kept") ours.write(text);
      });
    }
    /** @type {number | undefined} */
    let interrupted;
    // A terminal's Ctrl-C reaches the child by itself.
    const onInterrupt = () => {
      interrupted = 130;
      if (own) child.kill("SIGKILL");
    };
    const onTerminate = () => {
      interrupted = 143;
      child.kill(own ? "SIGKILL" : "SIGTERM");
    };
    // The terminal was closed.
    const onHangUp = () => {
      onTerminate();
      interrupted = 129;
    };
    process.on("SIGINT", onInterrupt).on("SIGTERM", onTerminate).on("SIGHUP", onHangUp);
    /** @param {number} status */
    const end = (status) => {
      process.off("SIGINT", onInterrupt).off("SIGTERM", onTerminate).off("SIGHUP", onHangUp);
      if (interrupted === undefined) resolve({ status, output: kept });
      else
        reject(
          new SetupFailure(
            "interrupted",
            "interrupted",
            "run the command again: finished steps are kept",
            interrupted,
          ),
        );
    };
    child.on("error", (error) => {
      kept += `${error.message}\n`;
      end(127);
    });
    child.on("close", (code, signal) => {
      end(code === null ? 128 + (signalNumbers[signal ?? ""] ?? 0) : code);
    });
  });
}
