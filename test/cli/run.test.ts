/** A build at the terminal: what is shown, how it is interrupted, and what never leaves it. */
import { spawnSync } from "node:child_process";
import { existsSync, lstatSync, readdirSync, readFileSync, statSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { demo, program, put, runTask, snapshot, startTask } from "./workshop.ts";

/** Command lines and environments of all processes, as `ps` would show them. */
function processes(): readonly { readonly pid: number; readonly text: string }[] {
  return readdirSync("/proc").flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    try {
      const read = (what: string) => readFileSync(`/proc/${name}/${what}`, "utf8").replaceAll("\0", " ");
      return [{ pid: Number(name), text: `${read("cmdline")} ${read("environ")}` }];
    } catch {
      return [];
    }
  });
}

async function until<T>(look: () => T | undefined): Promise<T> {
  for (const deadline = Date.now() + 30_000; Date.now() < deadline; ) {
    const found = look();
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error("what was waited for did not happen");
}

function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}

describe("an interrupt", () => {
  it.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
    ["SIGHUP", 129],
  ] as const)(
    "by %s ends every process, leaves nothing half-made and exits with %i",
    async (signal, status) => {
      const root = demo();
      const pids = path.join(root, "pids");
      put(
        root,
        "in/script",
        `sleep 300 & echo $! > "${pids}.new"; echo $$ >> "${pids}.new"; mv "${pids}.new" "${pids}"; wait\n`,
      );
      const { child, done } = startTask(root, ["greet"]);
      const started = await until(() =>
        existsSync(pids) ? readFileSync(pids, "utf8").trim().split("\n").map(Number) : undefined,
      );
      expect(started.every(isAlive)).toBe(true);
      child.kill(signal);
      const run = await done;
      expect(run.status).toBe(status);
      expect(run.stderr).toMatch(/interrupted/);
      expect(run.stderr).not.toMatch(/skipped|error:/);
      expect(started.some(isAlive)).toBe(false);
      expect(existsSync(path.join(root, "build"))).toBe(false);
      expect(existsSync(path.join(root, ".buildcache/v1/lock"))).toBe(false);
      expect(readdirSync(path.join(root, ".buildcache/v1/tmp"))).toEqual([]);
      put(root, "in/script", "true\n");
      const again = await runTask(root, ["greet"]);
      expect(again.status).toBe(0);
      expect(again.stderr).toMatch(/1 rebuilt, 1 fresh/);
    },
  );
});

describe("a build whose reader is gone", () => {
  it("ends all that runs when nobody reads what it says any more", async () => {
    const root = demo();
    const pids = path.join(root, "pids");
    put(root, "in/script", `echo $$ > "${pids}.new"; mv "${pids}.new" "${pids}"; yes\n`);
    const { child, done } = startTask(root, ["greet", "-v"]);
    const pid = await until(() => (existsSync(pids) ? Number(readFileSync(pids, "utf8")) : undefined));
    child.stderr?.destroy();
    expect((await done).status).toBe(141);
    expect(isAlive(pid)).toBe(false);
    expect(existsSync(path.join(root, ".buildcache/v1/lock"))).toBe(false);
  });

  it.each(["list", "greet"])("says why its results cannot be written, without a stack (%s)", async (word) => {
    const root = demo();
    // The second time a build that has nothing to do is answered before the program is loaded.
    for (let time = 0; time < 2; time += 1) {
      const run = spawnSync("sh", ["-c", '"$@" > /dev/full', "sh", process.execPath, program, word], {
        cwd: root,
        encoding: "utf8",
      });
      expect(run.stderr).toMatch(
        /error: standard output cannot be written: no space left on the device \[output-unwritable\]$/m,
      );
      expect(run.stderr).not.toMatch(/ at /);
      expect(run.status).toBe(1);
    }
  });
});

describe("a second interrupt", () => {
  it("kills what has not ended by itself", async () => {
    const root = demo();
    const pids = path.join(root, "pids");
    put(
      root,
      "in/script",
      `trap "touch '${root}/asked'" TERM; echo $$ > "${pids}.new"; mv "${pids}.new" "${pids}"; while :; do sleep 0.1; done\n`,
    );
    const { child, done } = startTask(root, ["greet"]);
    const pid = await until(() => (existsSync(pids) ? Number(readFileSync(pids, "utf8")) : undefined));
    child.kill("SIGINT");
    await until(() => (existsSync(path.join(root, "asked")) ? true : undefined));
    expect(isAlive(pid)).toBe(true);
    child.kill("SIGINT");
    const run = await done;
    expect(run.status).toBe(130);
    expect(run.stderr).toMatch(/interrupted again: killing running tasks/);
    expect(isAlive(pid)).toBe(false);
    expect(readdirSync(path.join(root, ".buildcache/v1/tmp"))).toEqual([]);
  });
});

const word = "Tr0ub4dor&3 x";
const forms = [
  word,
  encodeURIComponent(word),
  JSON.stringify(word).slice(1, -1),
  ...(["base64", "base64url", "hex"] as const).map((form) => Buffer.from(word).toString(form)),
];

describe("a secret", () => {
  it("is in no file, no output, no event and no process that is started, whatever happens to it", {
    timeout: 120_000,
  }, async () => {
    const root = demo();
    const flag = path.join(root, "running");
    const go = path.join(root, "go");
    put(
      root,
      "in/script",
      `cat "$KEY"; cat "$KEY" >&2; : > "${flag}"; while [ ! -e "${go}" ]; do sleep 0.05; done; exit 3\n`,
    );
    const { child, done } = startTask(root, ["greet", "--json", "-t", word]);
    await until(() => (existsSync(flag) ? true : undefined));
    const others = processes().filter(
      ({ pid, text }) => pid !== child.pid && pid !== process.pid && text.includes(root),
    );
    expect(others.length).toBeGreaterThan(0);
    for (const { text } of others) for (const form of forms) expect(text).not.toContain(form);
    const lock = readFileSync(path.join(root, ".buildcache/v1/lock"), "utf8");
    for (const form of forms) expect(lock).not.toContain(form);
    put(root, "go", "");
    const failed = await done;
    expect(failed.status).toBe(1);
    put(root, "in/script", 'cat "$KEY"; cat "$KEY" >&2\n');
    const outputs = [failed];
    for (const words of [
      ["greet", "--json"],
      ["greet", "--verbose", "-f"],
      ["why", "greet"],
      ["greet", "--dry-run", "-f", "greet"],
    ]) {
      outputs.push(await runTask(root, [...words, "-t", word]));
      outputs.push(await runTask(root, words, { DEMO_PASSWORD: `${word}!` }));
    }
    expect(outputs.slice(1).map(({ status }) => status)).toEqual(Array(8).fill(0));
    const files = Object.entries(snapshot(root)).map(
      ([name, text]) => [name, Buffer.from(text.split(" ")[1] ?? "", "base64")] as const,
    );
    for (const form of forms) {
      for (const { stdout, stderr } of outputs) expect(`${stdout}${stderr}`).not.toContain(form);
      expect(files.filter(([, bytes]) => bytes.includes(form)).map(([name]) => name)).toEqual([]);
    }
  });
});

describe("what is shown", () => {
  it("of a failure is everything the task printed, once, and what to do is not a stack", async () => {
    const root = demo();
    put(
      root,
      "in/script",
      "i=0; while [ $i -lt 500 ]; do echo line $i; i=$((i+1)); done; echo last words >&2; exit 7\n",
    );
    const run = await runTask(root, ["greet"]);
    expect(run.status).toBe(1);
    for (const text of ["line 0\n", "line 499\n", "last words\n"])
      expect(run.stderr.split(text)).toHaveLength(2);
    expect(run.stderr).toMatch(/greet(@dev)?: a command exited with status 7/);
    expect(run.stderr).toMatch(/failed: 1 task; earlier results are kept/);
    expect(run.stderr).not.toMatch(/^\s+at /m);
    expect(run.stdout).toBe("");
  });

  it("as events is one object a line, each with its version and type, in the order of the build", async () => {
    const root = demo();
    const run = await runTask(root, ["greet", "--json"]);
    const events = run.stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { v: number; type: string; task?: string });
    expect(events.every(({ v }) => v === 1)).toBe(true);
    expect(events[0]?.type).toBe("build-started");
    expect(events.at(-1)?.type).toBe("build-finished");
    const done = events.filter(({ type }) => type === "task-done").map(({ task }) => task);
    expect(done).toEqual(["name@dev", "greet@dev"]);
    put(root, "in/script", "exit 1\n");
    const failed = (await runTask(root, ["greet", "--json"])).stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { type: string });
    expect(failed.map(({ type }) => type)).toContain("task-failed");
  });

  it("has colours only where they are wanted", async () => {
    const root = demo();
    const colour = "\u001b[";
    const plain = await runTask(root, ["greet"]);
    expect(plain.stdout + plain.stderr).not.toContain(colour);
    expect((await runTask(root, ["greet"], { FORCE_COLOR: "1" })).stderr).toContain(colour);
    expect((await runTask(root, ["gret"], { NO_COLOR: "1" })).stderr).not.toContain(colour);
    expect((await runTask(root, [], { FORCE_COLOR: "0" })).stdout).not.toContain(colour);
  });

  it("names what was made, with its digest, where a script can read it", async () => {
    const root = demo();
    const run = await runTask(root, ["hi", "-p"]);
    expect(run.stdout).toMatch(/^build\/prod\.txt {2}\d+ B {2}sha256 [0-9a-f]{64}\n$/);
    expect((await runTask(root, ["hello"])).stdout).toBe("hello\n");
  });
});

describe("a cache", () => {
  it("can be written to by nobody else, whatever the umask", async () => {
    const root = demo();
    const words = [process.execPath, program, "greet"].map((word) => `'${word}'`).join(" ");
    expect(spawnSync("sh", ["-c", `umask 000; exec ${words}`], { cwd: root }).status).toBe(0);
    const open = readdirSync(path.join(root, ".buildcache"), { recursive: true, encoding: "utf8" }).filter(
      (name) => (lstatSync(path.join(root, ".buildcache", name)).mode & 0o022) !== 0,
    );
    expect(open).toEqual([]);
    expect(statSync(path.join(root, ".buildcache")).mode & 0o022).toBe(0);
  });
});
