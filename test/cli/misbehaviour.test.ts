/** Tasks that hang, throw late, print endlessly or ignore their signal: only that task fails. */
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { demo, put, type Run, runTask, startTask } from "./workshop.ts";

/** The demonstration with these tasks too: the body of each one's function, in which `c` is the context. */
function withTasks(bodies: Readonly<Record<string, string>>, more = ""): string {
  const root = demo();
  const names = Object.keys(bodies);
  const tasks = Object.entries(bodies).map(
    ([name, body]) => `export const ${name} = task({ name: "${name}", description: "", params: { password },
  outputs: { text: out.file("text") }, tools: ["sh", "yes", "head", "cat"],
  run: async (c) => { ${body}; writeFileSync(c.outputs.text, "made"); } });`,
  );
  put(
    root,
    "tasks/all.ts",
    `${readFileSync(path.join(root, "tasks/all.ts"), "utf8")}
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
${tasks.join("\n")}
${more}`,
  );
  const added = more.includes("export const stuck") ? [...names, "stuck"] : names;
  put(
    root,
    "Taskfile.ts",
    readFileSync(path.join(root, "Taskfile.ts"), "utf8")
      .replace("import { greet,", `import { ${added.join(", ")}, greet,`)
      .replace("targets: [name,", `targets: [${added.join(", ")}, name,`),
  );
  return root;
}

/** Nothing of a build is left. */
function expectTidy(root: string): void {
  expect(existsSync(path.join(root, ".buildcache/v1/lock"))).toBe(false);
  expect(readdirSync(path.join(root, ".buildcache/v1/tmp"))).toEqual([]);
}

/** The other task was built, this one was not, and is named. */
function expectFailure(root: string, run: Run, name: string, message: RegExp): void {
  expect(run.status, run.stderr).toBe(1);
  expect(run.stderr).toMatch(message);
  expect(run.stderr).toMatch(new RegExp(`^error: ${name}: `, "m"));
  expect(run.stderr).toMatch(/^✓ name: rebuilt/m);
  expect(run.stderr).not.toMatch(/^\s+at |node:internal/m);
  expectTidy(root);
}

describe("a task whose function never settles", () => {
  it("has failed, with -k too, and every report says so", async () => {
    const root = withTasks({ hangs: "await new Promise(() => {})" });
    const run = await runTask(root, ["hangs", "name", "-k"]);
    expectFailure(root, run, "hangs", /the function of hangs never finished/);
    const summary = path.join(root, "summary.json");
    const json = await runTask(root, ["hangs", "--json", "--summary", summary]);
    expect(json.status).toBe(1);
    const events = json.stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(events.at(-1)).toMatchObject({ type: "build-finished", outcome: "failed" });
    expect(events.find(({ type }) => type === "task-failed")).toMatchObject({
      task: "hangs@dev",
      error: { code: "task-never-settled" },
    });
    expect(JSON.parse(readFileSync(summary, "utf8"))).toMatchObject({
      outcome: "failed",
      tasks: { "hangs@dev": { verdict: "failed" } },
    });
    expectTidy(root);
  });

  it("is distinguished from a command that does the same", async () => {
    const root = withTasks(
      { good: "" },
      `export const stuck = command({ name: "stuck", description: "", params: {}, run: () => new Promise(() => {}) });`,
    );
    const run = await runTask(root, ["stuck"]);
    expect(run.status).toBe(1);
    expect(run.stderr).toMatch(/error: .*stuck never finished/);
  });
});

describe("an error that nobody waits for", () => {
  it.each([
    ["a rejection", 'Promise.reject(new Error("gone astray"))'],
    ["a throw in a timer", 'setTimeout(() => { throw new Error("gone astray"); }, 1)'],
    ["a throw in a microtask", 'queueMicrotask(() => { throw new Error("gone astray"); })'],
    ["an error event without a listener", '(await import("node:fs")).createReadStream("/gone astray")'],
  ])("as %s is its task's failure", async (_, body) => {
    const root = withTasks({ strays: `${body}; await sleep(60_000)` });
    const run = await runTask(root, ["name", "strays", "-j", "1", "-k"]);
    expectFailure(root, run, "strays", /gone astray/);
  });

  it("ends the processes of its task, and leaves the others their time", async () => {
    const root = withTasks({
      strays: 'setTimeout(() => { throw new Error("gone astray"); }, 200); await c.$`sh -c "exec sleep 300"`',
      slow: "await sleep(1500)",
    });
    const run = await runTask(root, ["strays", "slow", "name", "-k"]);
    expectFailure(root, run, "strays", /gone astray/);
    expect(run.stderr).toMatch(/^✓ slow: rebuilt/m);
  });

  it("that comes when its task was done makes it fail after all, and run again", async () => {
    const root = withTasks({
      late: 'if (process.env.LATE) setTimeout(() => { throw new Error("too late"); }, 100)',
      slow: "await sleep(1500)",
    });
    const run = await runTask(root, ["late", "slow", "name", "-k"], { LATE: "1" });
    expectFailure(root, run, "late", /too late/);
    expect((await runTask(root, ["late"])).stderr).toMatch(/✓ late: rebuilt/);
  });

  it("that comes when the build is over is told and makes the status 1; the results that were recorded stay", async () => {
    const root = withTasks({
      // The lock is gone when the build is over.
      late: `const end = setInterval(() => {
        if (existsSync(process.cwd() + "/.buildcache/v1/lock")) return;
        clearInterval(end); throw new Error("too late"); }, 1)`,
    });
    put(
      root,
      "tasks/all.ts",
      readFileSync(path.join(root, "tasks/all.ts"), "utf8").replace(
        "import { readFileSync",
        "import { existsSync, readFileSync",
      ),
    );
    const run = await runTask(root, ["late"]);
    expect(run.status, run.stderr).toBe(1);
    expect(run.stderr).toMatch(/^error: .*too late/m);
    expect((await runTask(root, ["late"])).stderr).toMatch(/1 fresh/);
  });
});

describe("output without end", () => {
  it("is kept at its beginning and its end, in little memory and little of the store", async () => {
    const root = withTasks({
      prints:
        "await c.$`echo first words; { yes the same line over and over, and over again || true; } | head -c 300000000; echo; echo last words`; c.log('peak ' + process.resourceUsage().maxRSS)",
    });
    const run = await runTask(root, ["prints"]);
    expect(run.status, run.stderr).toBe(0);
    const store = path.join(root, ".buildcache/v1/store");
    const logs = readdirSync(store, { recursive: true, encoding: "utf8" })
      .map((name) => path.join(store, name))
      .filter((file) => statSync(file).isFile() && statSync(file).size > 1e6);
    expect(logs).toHaveLength(1);
    const log = readFileSync(logs[0] ?? "", "utf8");
    expect(log.length).toBeLessThan(8.5 * 1024 * 1024);
    expect(log).toMatch(/^first words\n/);
    expect(log).toMatch(/\n\[\d+ MB left out\]\n/);
    expect(log).toMatch(/last words\npeak \d+\n$/);
    expect(Number(/peak (\d+)/.exec(log)?.[1])).toBeLessThan(400_000);
  });

  it("that a task would read is refused, and what to do is said", async () => {
    const root = withTasks({
      reads:
        "const { stdout } = await c.$`head -c 50000000 /dev/zero`; if (stdout.length < 50000000) throw new Error('half of it')",
    });
    const run = await runTask(root, ["reads", "-q"]);
    expect(run.status).toBe(1);
    expect(run.stderr).toMatch(/printed more than 32 MiB, which is more than a task may read/);
    expect(run.stderr).toMatch(/hint: let the command write to a file/);
  });
});

async function until(look: () => boolean): Promise<void> {
  for (const deadline = Date.now() + 30_000; Date.now() < deadline; ) {
    if (look()) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error("what was waited for did not happen");
}

describe("an interruption that a task does not listen to", () => {
  const deaf = 'writeFileSync(process.env.FLAG ?? "", ""); for (;;) await sleep(100)';

  it.each([
    [["SIGINT"], 130, []],
    [["SIGINT", "SIGINT"], 130, []],
    [["SIGTERM"], 143, []],
    [["SIGINT", "SIGTERM"], 130, ["-w"]],
  ] as const)("ends the program with %j and status %i all the same (%j)", async (signals, status, words) => {
    const root = withTasks({ deaf: `if (process.env.FLAG) { ${deaf} }` });
    const flag = path.join(root, "running");
    const { child, done } = startTask(root, ["deaf", ...words], { FLAG: flag });
    await until(() => existsSync(flag));
    const startedAt = performance.now();
    const [first, second] = signals;
    child.kill(first);
    if (second !== undefined) {
      await new Promise((resolve) => child.stderr?.once("data", resolve));
      child.kill(second);
    }
    expect((await done).status).toBe(status);
    expect(performance.now() - startedAt).toBeLessThan(20_000);
    expectTidy(root);
    expect((await runTask(root, ["deaf"])).stderr).toMatch(/✓ deaf: rebuilt/);
  });
});

describe("a command that does not listen to its interruption", () => {
  it("is given up, with the lock that it works under", async () => {
    const root = withTasks(
      { good: "" },
      `export const stuck = command({ name: "stuck", description: "", params: {}, run: ({ alone }) => alone(async () => {
        writeFileSync(process.env.FLAG ?? "", "");
        for (;;) await sleep(100);
      }) });`,
    );
    const flag = path.join(root, "running");
    const { child, done } = startTask(root, ["stuck"], { FLAG: flag });
    await until(() => existsSync(flag));
    child.kill("SIGINT");
    expect((await done).status).toBe(130);
    expectTidy(root);
  });
});

describe("a loop that never yields", () => {
  it("is ended by SIGQUIT, and the next build takes the lock over", async () => {
    const root = withTasks({
      busy: 'if (process.env.FLAG) { writeFileSync(process.env.FLAG, ""); for (;;); }',
    });
    const flag = path.join(root, "running");
    const { child, done } = startTask(root, ["busy"], { FLAG: flag });
    await until(() => existsSync(flag));
    child.kill("SIGQUIT");
    await done;
    expect((await runTask(root, ["busy"])).stderr).toMatch(/✓ busy: rebuilt/);
    expectTidy(root);
  });
});

describe("what a task's function prints itself", () => {
  const word = "Tr0ub4dor&3";
  const says =
    'console.log("out", c.params.password?.reveal()); process.stderr.write("err\\n"); c.progress({ item: "get " + c.params.password?.reveal(), done: 1, unit: "items" })';

  it("is its output: no line of its own between events, no secret, and in the log", async () => {
    const root = withTasks({ says });
    const run = await runTask(root, ["says", "--json", "-t", word]);
    expect(run.status, run.stderr).toBe(0);
    const events = run.stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    const texts = events.filter(({ type }) => type === "task-output").map(({ text }) => text);
    expect(texts.join("")).toBe("out ***\nerr\n");
    expect(events.find(({ type }) => type === "task-progress").progress.item).toBe("get ***");
    expect(run.stdout + run.stderr).not.toContain(word);
    const verbose = await runTask(root, ["says", "-v", "-f", "-t", word]);
    expect(verbose.stderr).toMatch(/says \| out \*\*\*/);
    // Nothing but the result: what the task made.
    expect(verbose.stdout).toMatch(/^\S+ {2}\d+ B {2}sha256 \w+\n$/);
  });

  it.each([
    ["thrown", `throw new Error("no " + c.params.password?.reveal())`],
    ["thrown as a cause", "throw new Error('no luck', { cause: new Error(c.params.password?.reveal()) })"],
    [
      "gone astray",
      "setTimeout(() => { throw new Error('no ' + c.params.password?.reveal()); }, 1); await sleep(60_000)",
    ],
  ])("as an error %s has no secret in it", async (_, body) => {
    const root = withTasks({ fails: body });
    const run = await runTask(root, ["fails", "-v", "-t", word]);
    expect(run.status).toBe(1);
    expect(run.stderr).toMatch(/error: fails: no/);
    expect(run.stdout + run.stderr).not.toContain(word);
  });
});
