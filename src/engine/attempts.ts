/** Attempts at one piece of work: each within a time limit, and repeated after a failure. */
import { messageOf, UserError } from "../errors/index.ts";

export interface AttemptRules {
  /** Seconds that one attempt may take; undefined for no limit. */
  readonly timeout: number | undefined;
  /** How often a failed attempt is repeated. */
  readonly retries: number;
}

export interface AttemptOptions {
  /** Ends the attempts; what it ends is not repeated. */
  readonly signal: AbortSignal;
  /** One attempt; its own signal is aborted when the time is up, or with `signal`. */
  readonly once: (signal: AbortSignal) => Promise<void>;
  /** Called before an attempt is repeated, with a sentence for the user. */
  readonly onRetry: (message: string) => void;
  /** Milliseconds before the first repetition; each further one waits twice as long, at most a minute. */
  readonly pauseMs?: number;
}

const longestPauseMs = 60_000;

/** Resolves when an attempt succeeded. Rejects with the failure of the last one, or with `task-timeout`. */
export async function attempt(
  { timeout, retries }: AttemptRules,
  { signal, once, onRetry, pauseMs = 1000 }: AttemptOptions,
): Promise<void> {
  for (let failed = 0; ; ) {
    try {
      return await (timeout === undefined ? once(signal) : withinTime(timeout, signal, once));
    } catch (error) {
      failed += 1;
      if (signal.aborted || failed > retries) throw error;
      onRetry(`attempt ${failed} of ${retries + 1} failed: ${messageOf(error)}; it is repeated`);
      await pause(Math.min(longestPauseMs, pauseMs * 2 ** (failed - 1)), signal);
      signal.throwIfAborted();
    }
  }
}

async function withinTime(
  seconds: number,
  signal: AbortSignal,
  once: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort(), seconds * 1000);
  try {
    await once(AbortSignal.any([signal, limit.signal]));
  } catch (error) {
    // What an attempt says about being ended is not what went wrong.
    if (!limit.signal.aborted || signal.aborted) throw error;
  } finally {
    clearTimeout(timer);
  }
  if (!limit.signal.aborted || signal.aborted) return;
  throw new UserError(`it did not finish within ${seconds} s`, {
    code: "task-timeout",
    hint: "raise the task's timeout, or find out what it waits for: --verbose shows what its commands print",
  });
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener("abort", done, { once: true });
  });
}
