/** Runs work with a time limit and retries. */
import { setTimeout as pause } from "node:timers/promises";
import { messageOf, UserError } from "../../errors/index.ts";

export interface AttemptRules {
  /** Seconds that one attempt may take; undefined for no limit. */
  readonly timeout: number | undefined;
  /** How often a failed attempt is repeated. */
  readonly retries: number;
}

interface AttemptOptions<T> {
  /** Aborts the current attempt; an aborted attempt is not retried. */
  readonly signal: AbortSignal;
  /** One attempt; its own signal is aborted when the time is up, or with `signal`. */
  readonly once: (signal: AbortSignal) => Promise<T>;
  /** Called before an attempt is repeated, with a sentence for the user. */
  readonly onRetry: (message: string) => void;
  /** Milliseconds before the first repetition; each further one waits twice as long, at most a minute. */
  readonly pauseMs?: number;
}

const longestPauseMs = 60_000;

/** Returns the result of the first successful attempt. Rejects with the failure of the last one, or with `task-timeout`. */
export async function attempt<T>(
  { timeout, retries }: AttemptRules,
  { signal, once, onRetry, pauseMs = 1000 }: AttemptOptions<T>,
): Promise<T> {
  for (let failed = 0; ; ) {
    try {
      return await (timeout === undefined ? once(signal) : withinTime(timeout, signal, once));
    } catch (error) {
      failed += 1;
      // Code that ignored its signal may still write to the outputs, so no other attempt may start there.
      if (signal.aborted || failed > retries || isUnresponsive(error)) throw error;
      onRetry(`attempt ${failed} of ${retries + 1} failed: ${messageOf(error)}; retrying`);
      await pause(Math.min(longestPauseMs, pauseMs * 2 ** (failed - 1)), undefined, { signal }).catch(
        () => {},
      );
      signal.throwIfAborted();
    }
  }
}

async function withinTime<T>(
  seconds: number,
  signal: AbortSignal,
  once: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort(), seconds * 1000);
  const isOver = (): boolean => limit.signal.aborted && !signal.aborted;
  try {
    const result = await once(AbortSignal.any([signal, limit.signal]));
    if (isOver()) throw timedOut(seconds);
    return result;
  } catch (error) {
    // The cause is the timeout, not the error with which the attempt answers the abort.
    throw isOver() && !isUnresponsive(error) ? timedOut(seconds) : error;
  } finally {
    clearTimeout(timer);
  }
}

function timedOut(seconds: number): UserError {
  return new UserError(`the task did not finish within ${seconds} s`, {
    code: "task-timeout",
    hint: "raise its timeout, or find out what it waits for: --verbose shows the output of its commands",
  });
}

function isUnresponsive(error: unknown): boolean {
  return error instanceof UserError && error.code === "task-unresponsive";
}
