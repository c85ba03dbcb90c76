/** Attempts at a task: how often, how long, and what is said of those that failed. */
import { describe, expect, it } from "vitest";
import { type AttemptRules, attempt } from "../../src/engine/run/attempts.ts";
import { UserError } from "../../src/errors/index.ts";

/** Plays attempts that come out as `outcomes` say, in order; an attempt that hangs ends when its signal says so. */
async function play(
  rules: AttemptRules,
  outcomes: readonly ("works" | "hangs" | Error)[],
  interruption = new AbortController(),
) {
  const notes: string[] = [];
  let count = 0;
  const result = await attempt(rules, {
    signal: interruption.signal,
    pauseMs: 1,
    onRetry: (message) => notes.push(message),
    once: async (signal) => {
      const outcome = outcomes[count];
      count += 1;
      if (outcome instanceof Error) throw outcome;
      if (outcome !== "hangs") return;
      await new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
    },
  }).then(
    () => "done",
    (error: unknown) => error,
  );
  return { result, notes, count };
}

const refused = new Error("connection refused");

describe("attempts", () => {
  it("are repeated as often as the task says, each failure with a note, until one succeeds", async () => {
    const { result, notes, count } = await play({ timeout: undefined, retries: 2 }, [
      refused,
      refused,
      "works",
    ]);
    expect([result, count]).toEqual(["done", 3]);
    expect(notes).toEqual([
      "attempt 1 of 3 failed: connection refused; retrying",
      "attempt 2 of 3 failed: connection refused; retrying",
    ]);
  });

  it("end with the last failure as it is, and without a retry at the first", async () => {
    expect(await play({ timeout: undefined, retries: 1 }, [refused, refused])).toMatchObject({
      result: refused,
      count: 2,
    });
    expect(await play({ timeout: undefined, retries: 0 }, [refused])).toMatchObject({
      result: refused,
      count: 1,
    });
  });

  it("that take longer than the limit are ended, have failed by name, and may be repeated", async () => {
    const { result, notes, count } = await play({ timeout: 0.02, retries: 1 }, ["hangs", "hangs"]);
    expect(result).toMatchObject({ code: "task-timeout", message: "the task did not finish within 0.02 s" });
    expect(notes).toEqual(["attempt 1 of 2 failed: the task did not finish within 0.02 s; retrying"]);
    expect(count).toBe(2);
    expect(await play({ timeout: 5, retries: 0 }, ["works"])).toMatchObject({ result: "done" });
  });

  it("that did not end when they were asked to are not repeated: they may still write to the outputs", async () => {
    const stubborn = new UserError("the function of x did not stop after it was cancelled", {
      code: "task-unresponsive",
    });
    const { result, count } = await play({ timeout: undefined, retries: 5 }, [stubborn]);
    expect([result, count]).toEqual([stubborn, 1]);
  });

  it("that an interrupt ended are not repeated", async () => {
    const interruption = new AbortController();
    setTimeout(() => interruption.abort(new Error("interrupted")), 10);
    const { result, notes, count } = await play({ timeout: 60, retries: 5 }, ["hangs"], interruption);
    expect([String(result), notes, count]).toEqual(["Error: interrupted", [], 1]);
  });
});
