/** Commands see only what their task declares of the machine and the user. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { out, type Task, task } from "../../src/engine/index.ts";
import { run, workspace } from "./workshop.ts";

const before = { ...process.env };
afterEach(() => {
  for (const name of Object.keys(process.env)) if (!(name in before)) delete process.env[name];
  Object.assign(process.env, before);
});

/** Writes down the environment of its command, and runs a script. */
function teller(script: string, more: Partial<Parameters<typeof task>[0]> = {}): Task {
  return task({
    name: "teller",
    description: "",
    tools: ["sh", "env"],
    outputs: { env: out.artifact("build/env"), said: out.artifact("build/said") },
    async run({
      $,
      outputs,
    }: {
      $: import("../../src/host/index.ts").Shell;
      outputs: Record<string, string>;
    }) {
      await $`env -0 > ${outputs.env ?? ""}`;
      await $`sh -c ${script} > ${outputs.said ?? ""}`;
    },
    ...more,
  } as Parameters<typeof task>[0]) as Task;
}

const environmentIn = (root: string): Readonly<Record<string, string>> =>
  Object.fromEntries(
    readFileSync(path.join(root, "build/env"), "utf8")
      .split("\0")
      .filter((line) => line !== "")
      .map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]),
  );

function program(directory: string, name: string, says: string): void {
  mkdirSync(directory, { recursive: true });
  writeFileSync(path.join(directory, name), `#!/bin/sh\necho "${says}"\n`, { mode: 0o755 });
}

describe("a task's command", () => {
  it("has a fixed environment, with a home of its own that is gone afterwards", async () => {
    const root = workspace({ home: "" });
    const outside = path.join(root, "caller's");
    mkdirSync(outside);
    Object.assign(process.env, {
      ...{ HOME: outside, TMPDIR: outside, USER: "somebody", LOGNAME: "somebody", LANG: "de_DE.UTF-8" },
      ...{
        LC_ALL: "de_DE.UTF-8",
        TZ: "Europe/Berlin",
        MK_BUNDLE_TC_PASSWD: "opensesame",
        BASH_ENV: "/x",
        XDG_CONFIG_HOME: outside,
      },
    });
    const { outcome } = await run(root, [
      teller('echo x > "$HOME/file"; mktemp; ls -A "$HOME" | grep -c file'),
    ]);
    expect(outcome).toBe("succeeded");
    const {
      HOME = "",
      TASK_STAGING: _mark,
      PWD: _cwd,
      SHLVL: _level,
      OLDPWD: _old,
      _,
      ...env
    } = environmentIn(root);
    expect(env).toEqual({
      PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
      ...{ TMPDIR: HOME, USER: "builder", LOGNAME: "builder", LC_ALL: "C", LANG: "C", TZ: "UTC" },
    });
    expect(HOME.startsWith(path.join(root, ".buildcache/v1/tmp/"))).toBe(true);
    expect(readFileSync(path.join(root, "build/said"), "utf8").split("\n")[0]).toContain(HOME);
    expect(existsSync(HOME)).toBe(false);
  });

  it("finds the declared tools where the caller's PATH has them, and no other program from there", async () => {
    const root = workspace({});
    const directory = path.join(root, "the user's bin");
    program(directory, "declared-tool", "it is $0");
    program(directory, "undeclared-tool", "never");
    process.env.PATH = `${directory}:${process.env.PATH}`;
    const script = "declared-tool; undeclared-tool || echo not found";
    const { outcome } = await run(root, [teller(script, { tools: ["sh", "env", "declared-tool"] })]);
    expect(outcome).toBe("succeeded");
    expect(readFileSync(path.join(root, "build/said"), "utf8")).toBe(
      `it is ${directory}/declared-tool\nnot found\n`,
    );
  });

  it("runs the tool that is in the fingerprint, also where the system has another of that name", async () => {
    const root = workspace({});
    const directory = path.join(root, "bin");
    program(directory, "cat", "the first in PATH");
    process.env.PATH = `${directory}:${process.env.PATH}`;
    await run(root, [teller("cat /etc/hostname", { tools: ["sh", "env", "cat"] })]);
    expect(readFileSync(path.join(root, "build/said"), "utf8")).toBe("the first in PATH\n");
    expect(
      (await run(root, [teller("cat /etc/hostname", { tools: ["sh", "env", "cat"] })])).outcomes[
        "teller@dev"
      ],
    ).toBe("fresh");
  });

  it("sees the variables that the task passes on", async () => {
    const root = workspace({});
    const passing = teller("true", { env: ["COLOUR", "HOME"], passEnv: ["PROXY"] });
    await run(root, [passing], {
      env: { COLOUR: "red", HOME: "/root of the user", PROXY: "http://x", OTHER: "no" },
    });
    expect(environmentIn(root)).toMatchObject({
      COLOUR: "red",
      HOME: "/root of the user",
      PROXY: "http://x",
    });
    expect(environmentIn(root).OTHER).toBeUndefined();
  });
});
