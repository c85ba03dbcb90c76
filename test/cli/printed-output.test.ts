/** What tasks print, however much: kept in bounds, without secrets, and never between the program's own lines. */
import { readdirSync, readFileSync, statSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { withTasks } from "./misbehaving-tasks.ts";
import { runTask } from "./workshop.ts";

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
    expect(log).toMatch(/\n\[\d+ MB omitted\]\n/);
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
    expect(run.stderr).toMatch(/printed more than 32 MiB, more than a task may read into memory/);
    expect(run.stderr).toMatch(/hint: redirect the output to a file/);
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
