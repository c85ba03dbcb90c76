/** What a task may say of itself beside its inputs and outputs: arguments, lists, variables from files, no caching. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { bind, file, out, ParameterValues, param, State, task, taskfile } from "../../src/engine/index.ts";
import { code, run, workspace, write } from "./workshop.ts";

const args = param.arguments({ description: "what to say" });
const say = task({
  name: "say",
  description: "",
  params: { args },
  outputs: { text: out.artifact("said") },
  run: ({ params, outputs }) => writeFileSync(outputs.text, params.args.join("|")),
});
const repeat = task({
  name: "repeat",
  description: "",
  needs: { say },
  params: { args },
  outputs: { text: out.artifact("repeated") },
  run: ({ needs, params, outputs }) =>
    writeFileSync(outputs.text, `${readFileSync(needs.say.text, "utf8")}+${params.args.join("|")}`),
});

describe("the arguments after --", () => {
  it("reach the target that was named, and are part of its fingerprint", async () => {
    const root = workspace({});
    const given = (words: readonly string[]) => ({ given: { "--": JSON.stringify(words) } });
    expect((await run(root, [say], given(["a", "b c"]))).outcomes).toEqual({ "say@dev": "never built" });
    expect(readFileSync(path.join(root, "said"), "utf8")).toBe("a|b c");
    expect((await run(root, [say], given(["a", "b c"]))).outcomes).toEqual({ "say@dev": "fresh" });
    expect((await run(root, [say], given(["a"]))).outcomes).toEqual({
      "say@dev": 'the arguments after -- changed from ["a","b c"] to ["a"]',
    });
  });

  it("do not reach what the named target needs", async () => {
    const root = workspace({});
    await run(root, [repeat], { given: { "--": '["x"]' } });
    expect(readFileSync(path.join(root, "repeated"), "utf8")).toBe("+x");
  });
});

describe("a list parameter", () => {
  const tags = param.list({ name: "tag", description: "", default: ["none"] });
  const parsed = (text: string | undefined): unknown =>
    new ParameterValues(new Map(text === undefined ? [] : [["tag", text]]), {
      root: "/",
      env: {},
      variant: "dev",
      note: () => {},
    }).get(tags);

  it("is split at commas and line breaks, without blanks and empty elements", () => {
    expect(parsed(" a, b c,,d\ne ")).toEqual(["a", "b c", "d", "e"]);
    expect(parsed(undefined)).toEqual(["none"]);
    expect(parsed("")).toEqual([]);
  });
});

describe("a task whose name has parts", () => {
  it("builds, is asked for by its whole name, and has no colon in the path of its outputs", async () => {
    const root = workspace({ in: "x" });
    const seeded = task({
      name: "db:seed",
      description: "",
      inputs: { text: file("in") },
      outputs: { copy: out.file("copy") },
      run: ({ inputs, outputs }) => writeFileSync(outputs.copy, readFileSync(inputs.text)),
    });
    expect((await run(root, [seeded])).outcomes).toEqual({ "db:seed@dev": "never built" });
    expect((await run(root, [seeded])).outcomes).toEqual({ "db:seed@dev": "fresh" });
    expect(readFileSync(path.join(root, ".buildcache/v1/out/dev/db~seed/copy"), "utf8")).toBe("x");
  });

  it.each([":seed", "db:", "db::seed", "db:.x"])(
    "is refused when a part cannot be a name: %s",
    async (name) => {
      const root = workspace({});
      const odd = task({ name, description: "", outputs: {}, run: () => {} });
      const definition = taskfile({
        title: "",
        targets: [odd],
        variants: { dev: { description: "", flags: [] } },
      });
      const values = new ParameterValues(new Map(), { root, env: {}, variant: "dev", note: () => {} });
      const inRoot = {
        taskfile: definition,
        state: new State(root),
        code: code(),
        toolHint: () => undefined,
        env: {},
      };
      await expect(bind(inRoot, { targets: [odd], variant: "dev", values })).rejects.toMatchObject({
        code: "name-invalid",
      });
    },
  );
});

describe("a task that is not cached", () => {
  it("runs in every build, fills no store, and lets what needs it rest while its outputs stay the same", async () => {
    const root = workspace({});
    let count = 0;
    let text = "same";
    const now = task({
      name: "now",
      description: "",
      cached: false,
      outputs: { text: out.artifact("now") },
      run: ({ outputs }) => {
        count += 1;
        writeFileSync(outputs.text, text);
      },
    });
    const after = task({
      name: "after",
      description: "",
      needs: { now },
      outputs: { text: out.file("text") },
      run: ({ needs, outputs }) => writeFileSync(outputs.text, readFileSync(needs.now.text)),
    });
    await run(root, [after]);
    expect((await run(root, [after])).outcomes).toEqual({
      "now@dev": "it runs on every build",
      "after@dev": "fresh",
    });
    text = "other";
    expect((await run(root, [after])).outcomes).toMatchObject({ "after@dev": "now made different outputs" });
    expect(count).toBe(3);
    const alone = workspace({});
    await run(alone, [now]);
    const { blobs } = await import("../../src/engine/index.ts").then(({ storeStatistics }) =>
      storeStatistics(new State(alone)),
    );
    expect(blobs).toBe(0);
  });
});

describe("an env file", () => {
  const shows = task({
    name: "shows",
    description: "",
    env: ["LEVEL"],
    envFiles: ["defaults.env", "local.env"],
    tools: ["sh"],
    outputs: { text: out.artifact("seen") },
    run: async ({ $, env, outputs }) => {
      const { stdout } = await $`sh -c ${'echo "$LEVEL $NAME"'}`;
      writeFileSync(outputs.text, `${stdout.trim()} ${env.NAME}`);
    },
  });

  it("gives its variables to commands and to run; a later file wins, and the caller's variable over both", async () => {
    const root = workspace({ "defaults.env": "LEVEL=info\nNAME=base\n", "local.env": "NAME='my own'\n" });
    await run(root, [shows]);
    expect(readFileSync(path.join(root, "seen"), "utf8")).toBe("info my own my own");
    await run(root, [shows], { env: { LEVEL: "debug" } });
    expect(readFileSync(path.join(root, "seen"), "utf8")).toBe("debug my own my own");
  });

  it("is an input: an edit of it is why the task runs again, and its absence is an error", async () => {
    const root = workspace({ "defaults.env": "LEVEL=info\n", "local.env": "NAME=a\n" });
    await run(root, [shows]);
    write(root, "local.env", "NAME=b\n");
    expect((await run(root, [shows])).outcomes).toEqual({ "shows@dev": "local.env changed" });
    const without = workspace({ "defaults.env": "LEVEL=info\n" });
    expect((await run(without, [shows])).outcomes).toEqual({
      "shows@dev": expect.stringMatching(/^failed: .*the file local\.env does not exist/),
    });
  });

  it("is refused with file and line where a shell would have expanded something", async () => {
    const root = workspace({ "defaults.env": "LEVEL=info\n", "local.env": "A=1\nNAME=$HOME/x\n" });
    const { events } = await run(root, [shows]);
    const failure = events.find((event) => event.type === "task-failed");
    expect(failure).toMatchObject({ error: { code: "config-expansion", where: "local.env:2" } });
  });
});

describe("a task with a time limit and retries", () => {
  it("begins each attempt with empty outputs, keeps what failed attempts printed, and succeeds with the last", async () => {
    const root = workspace({});
    let attempts = 0;
    const flaky = task({
      name: "flaky",
      description: "",
      retries: 1,
      outputs: { directory: out.directory("directory") },
      run: ({ outputs, scratch, log }) => {
        attempts += 1;
        log(`attempt ${attempts}`);
        expect([readdirSync(outputs.directory), readdirSync(scratch)]).toEqual([[], []]);
        writeFileSync(path.join(outputs.directory, `${attempts}`), "");
        writeFileSync(path.join(scratch, "left"), "");
        if (attempts === 1) throw new Error("connection refused");
      },
    });
    const { outcomes, notes, events } = await run(root, [flaky]);
    expect(outcomes).toEqual({ "flaky@dev": "never built" });
    expect(notes).toEqual(["attempt 1 of 2 failed: connection refused; retrying"]);
    expect(readdirSync(path.join(root, ".buildcache/v1/out/dev/flaky/directory"))).toEqual(["2"]);
    expect(events.flatMap((event) => (event.type === "task-output" ? [event.text] : []))).toEqual([
      "attempt 1\n",
      "attempt 2\n",
    ]);
  });

  it("ends the commands of an attempt that takes too long", async () => {
    const root = workspace({});
    const slow = task({
      name: "slow",
      description: "",
      timeout: 0.2,
      tools: ["sleep"],
      outputs: {},
      run: async ({ $ }) => {
        await $`sleep 600`;
      },
    });
    const { outcomes, events } = await run(root, [slow]);
    expect(outcomes).toEqual({ "slow@dev": "failed: UserError: the task did not finish within 0.2 s" });
    const pids = events.flatMap((event) => (event.type === "process-started" ? [event.pid] : []));
    expect(pids).toHaveLength(1);
    expect(() => process.kill(pids[0] ?? 0, 0)).toThrow("ESRCH");
  });
});
