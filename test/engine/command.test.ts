/** What a task's commands may leave behind, and what may never be seen of its secrets. */
import { spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { createInterface } from "node:readline";
import { describe, expect, it } from "vitest";
import { describeReason, out, param, task } from "../../src/engine/index.ts";
import { UserError } from "../../src/errors/index.ts";
import { ProcessGroups } from "../../src/host/index.ts";
import { run, workspace } from "./workshop.ts";

/** The process ids that a task wrote down are those of processes that are gone, or are only waiting to be reaped. */
function isGone(pid: number): boolean {
  try {
    return /^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return true;
  }
}

/** A process that was killed takes a moment to be gone; one that was not keeps the test waiting until it fails. */
async function untilGone(pid: number): Promise<void> {
  while (!isGone(pid)) await new Promise((resolve) => setTimeout(resolve, 10));
}

function shellTask(script: string) {
  return task({
    name: "shell",
    description: "",
    tools: ["sh", "sleep"],
    outputs: { pid: out.artifact("pid") },
    run: async ({ $, outputs }) => {
      await $`sh -c ${script} sh ${outputs.pid}`;
    },
  });
}

describe("a command", () => {
  it("that leaves a process behind which holds its output does not hold up the build", async () => {
    const root = workspace({});
    const startedAt = performance.now();
    const { outcome } = await run(root, [shellTask('sleep 60 & echo $! > "$1"')]);
    expect(outcome).toBe("succeeded");
    expect(performance.now() - startedAt).toBeLessThan(30_000);
    expect(isGone(Number(readFileSync(path.join(root, "pid"), "utf8")))).toBe(true);
  });

  it("that leaves a silent process behind which ignores TERM has it ended before its outputs are taken", async () => {
    const root = workspace({});
    const script =
      '(trap "" TERM; while :; do sleep 5; echo late >> "$1.late"; done) >/dev/null 2>&1 & echo $! > "$1"';
    const { outcome } = await run(root, [shellTask(script)]);
    expect(outcome).toBe("succeeded");
    expect(isGone(Number(readFileSync(path.join(root, "pid"), "utf8")))).toBe(true);
    expect(readdirSync(path.join(root, ".buildcache/v1/tmp"))).toEqual([]);
  });

  it.each([
    ["holds its output", ""],
    ["is silent", ">/dev/null 2>&1"],
  ])("whose child left for a session of its own and %s has it ended and named", async (_, silent) => {
    const root = workspace({});
    const script = `setsid sleep 600 ${silent} & echo $! > "$1"; until [ "$(cat /proc/$!/comm)" = sleep ]; do :; done`;
    const { outcome, notes } = await run(root, [shellTask(script)]);
    const pid = Number(readFileSync(path.join(root, "pid"), "utf8"));
    expect(outcome).toBe("succeeded");
    await untilGone(pid);
    // While it holds the output it is ended for that; who is silent is only found at the end.
    if (silent !== "") expect(notes.join()).toMatch(new RegExp(`shell@dev left sleep running.*${pid}`));
  });

  it("that a killed build left running is ended by the next one", async () => {
    const root = workspace({ ".buildcache/v1/tmp/shell@dev-1/scratch/half": "" });
    const mark = path.join(root, ".buildcache/v1/tmp/shell@dev-1/1");
    const left = spawn("sleep", ["600"], { env: { ...process.env, TASK_STAGING: mark }, detached: true });
    const other = spawn("sleep", ["600"], { env: { ...process.env, TASK_STAGING: `${root}x` } });
    try {
      const { notes } = await run(root, [shellTask('echo $$ > "$1"')]);
      expect(notes).toEqual([
        expect.stringContaining(`(process ${left.pid}); the orphaned process was stopped`),
      ]);
      await untilGone(left.pid ?? 0);
      expect(isGone(other.pid ?? 0)).toBe(false);
    } finally {
      left.kill("SIGKILL");
      other.kill("SIGKILL");
    }
  });

  it("that takes its time to end is killed at once when nobody waits any more", async () => {
    const groups = new ProcessGroups();
    const child = groups.spawn("sh", ["-c", 'trap "echo no" TERM; echo yes; while :; do sleep 600; done'], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const words = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    expect((await words.next()).value).toBe("yes");
    // Ten minutes of grace: only the kill ends it before the test is over.
    const ended = groups.terminate(600_000);
    groups.kill();
    await ended;
    expect(isGone(child.pid ?? 0)).toBe(true);
  });

  it("is ended by an interrupt, with all that it started", async () => {
    const root = workspace({});
    const controller = new AbortController();
    let pid = 0;
    const waiting = task({
      name: "waiting",
      description: "",
      tools: ["sh", "sleep"],
      outputs: { x: out.artifact("x") },
      run: async ({ $ }) => {
        await $`sh -c 'sleep 60 & echo $!; wait'`;
      },
    });
    const { outcome } = await run(root, [waiting], {
      signal: controller.signal,
      onEvent: (event) => {
        if (event.type !== "task-output") return;
        pid = Number(event.text);
        controller.abort();
      },
    });
    expect(outcome).toBe("interrupted");
    expect(pid).toBeGreaterThan(1);
    expect(isGone(pid)).toBe(true);
    expect(existsSync(path.join(root, "x"))).toBe(false);
    expect(await run(root, [waiting], { signal: AbortSignal.abort() }).catch(() => "refused")).toBe(
      "refused",
    );
  });
});

const word = "correct horse";

function leaking(
  how: (secret: string, say: { log: (text: string) => void; note: (text: string) => void }) => void,
) {
  const secret = param.secret({ name: "password", description: "", default: undefined });
  return task({
    name: "leaking",
    description: "",
    params: { secret },
    outputs: { x: out.artifact("x") },
    run: ({ params, outputs, log, note }) => {
      how(params.secret?.reveal() ?? "", { log, note });
      writeFileSync(outputs.x, "");
    },
  });
}

/** Everything below a directory that holds the text, in any of the forms that programs give it. */
function filesHolding(root: string, text: string): readonly string[] {
  const forms = [
    text,
    encodeURIComponent(text),
    JSON.stringify(text).slice(1, -1),
    ...(["base64", "base64url", "hex"] as const).map((form) => Buffer.from(text).toString(form)),
  ];
  return readdirSync(root, { recursive: true, encoding: "utf8" }).filter((name) => {
    const file = path.join(root, name);
    return statSync(file).isFile() && forms.some((form) => readFileSync(file).includes(form));
  });
}

describe("a secret", () => {
  it("is hidden wherever a task says it: in its output, in notes, in failures, cut in two", async () => {
    const ways: readonly Parameters<typeof leaking>[0][] = [
      (secret, { log }) => log(`it is ${secret}`),
      (secret, { note }) => note(`it is ${secret}`),
      (secret) => {
        throw new Error(`wrong: ${secret}`);
      },
      (secret) => {
        throw new UserError(`wrong: ${secret}`, { code: "project-error", where: secret, hint: secret });
      },
    ];
    for (const way of ways) {
      const root = workspace({});
      const { events } = await run(root, [leaking(way)], { given: { password: word } });
      const said = events.map((event) =>
        event.type === "task-failed"
          ? `${event.output} ${String(event.error)} ${(event.error as Error).stack} ${JSON.stringify(event.error)}`
          : JSON.stringify(event),
      );
      expect(said.join("\n")).toContain("***");
      expect(said.join("\n")).not.toContain(word);
      expect(filesHolding(root, word)).toEqual([]);
    }
  });

  it("is hidden in what commands print, wherever the pipe cuts it, and in their failures", async () => {
    const root = workspace({});
    const secret = param.secret({ name: "password", description: "", default: undefined });
    const halves = task({
      name: "halves",
      description: "",
      params: { secret },
      tools: ["sh", "sleep", "cat"],
      outputs: { x: out.artifact("x") },
      run: async ({ $, params, scratch }) => {
        const held = path.join(scratch, "held");
        writeFileSync(held, params.secret?.reveal() ?? "", { mode: 0o600 });
        await $`sh -c 'head -c 5 "$1"; sleep 0.2; tail -c +6 "$1"; echo; cat "$1" >&2; echo corr; exit 3' sh ${held}`;
      },
    });
    const { events } = await run(root, [halves], { given: { password: word } });
    const failed = events.find((event) => event.type === "task-failed");
    if (failed?.type !== "task-failed") throw new Error("it must fail");
    const error = failed.error as Error & { stderr?: string };
    expect(failed.output.match(/\*{3}/g)).toHaveLength(2);
    for (const text of [failed.output, error.message, error.stack, error.stderr])
      expect(text).not.toContain(word);
    const shown = events.flatMap((event) => (event.type === "task-output" ? [event.text] : [])).join("");
    expect(shown).toBe(failed.output);
    expect(filesHolding(root, word)).toEqual([]);
  });

  it("that changed reruns what uses it, without a word of the old one or the new", async () => {
    const root = workspace({});
    const quiet = leaking(() => {});
    await run(root, [quiet], { given: { password: word } });
    expect((await run(root, [quiet], { given: { password: word } })).outcomes["leaking@dev"]).toBe("fresh");
    const { events, outcomes } = await run(root, [quiet], { given: { password: "another one" } });
    expect(outcomes["leaking@dev"]).toBe("password changed");
    const reasons = events.flatMap((event) => ("reasons" in event ? event.reasons.map(describeReason) : []));
    expect(reasons.join()).not.toMatch(/horse|another/);
    expect(filesHolding(root, word)).toEqual([]);
    expect(filesHolding(root, "another one")).toEqual([]);
    expect(statSync(path.join(root, ".buildcache/v1/secret.key")).mode & 0o777).toBe(0o600);
  });
});
