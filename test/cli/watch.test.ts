/** Watch mode as a person uses it: in a terminal, with keys, mistakes and an end; and as a program reads it. */
import { execFileSync, spawn } from "node:child_process";
import { chmodSync, existsSync, readFileSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { createInterface } from "node:readline";
import { afterEach, describe, expect, it } from "vitest";
import { openTerminal, type Terminal } from "./terminal.ts";
import { demo, program, put, startTask } from "./workshop.ts";

interface Told {
  readonly type: string;
  readonly changes?: readonly string[];
  readonly outcome?: string;
  readonly text?: string;
  readonly task?: string;
}

const open: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of open.splice(0)) await end();
});

/** The program in watch mode, as JSON; `next` waits for an event of a kind. */
function startWatch(root: string, words: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const { child, done } = startTask(root, [...words, "--watch", "--json"], env);
  open.push(async () => {
    child.kill("SIGKILL");
    await done;
  });
  const lines = createInterface({ input: child.stdout ?? process.stdin })[Symbol.asyncIterator]();
  const next = async (type: string): Promise<Told> => {
    for (;;) {
      const { value, done: over } = await lines.next();
      if (over === true) throw new Error(`ended before ${type}: ${(await done).stderr}`);
      const event = JSON.parse(value) as Told;
      if (event.type === type) return event;
    }
  };
  return { child, done, next };
}

/**
 * A stand-in for the emulator, first on PATH: it tells its process and the content of the image that it is given, and then
 * runs until it is ended.
 */
function emulatorThatTells(root: string) {
  const pipe = path.join(root, "told");
  execFileSync("mkfifo", [pipe]);
  put(
    root,
    "bin/qemu-system-x86_64",
    `#!/bin/sh
for word; do case $word in file=*) image=\${word#file=} ;; esac; done
echo "$$ $(cat "\${image%%,media=*}")" > '${pipe}'
exec sleep 300
`,
  );
  chmodSync(path.join(root, "bin/qemu-system-x86_64"), 0o755);
  // Open for writing as well, so that no end is seen between two that tell.
  const reader = spawn("sh", ["-c", 'exec cat 0<>"$0"', pipe], { stdio: ["ignore", "pipe", "inherit"] });
  open.push(() => reader.kill());
  const lines = createInterface({ input: reader.stdout })[Symbol.asyncIterator]();
  return {
    env: { PATH: `${path.join(root, "bin")}:${process.env.PATH}` },
    next: async (): Promise<{ readonly pid: number; readonly image: string }> => {
      const [pid = "", ...image] = String((await lines.next()).value).split(" ");
      return { pid: Number(pid), image: image.join(" ") };
    },
  };
}

/** The program in a terminal, and behind it what the terminal's settings are then. */
function watchInTerminal(root: string, words: string): Terminal {
  const line = `sh -c '"$0" "$1" ${words}; echo "status $?"; stty -a' "${process.execPath}" "${program}"`;
  const terminal = openTerminal(line, { cwd: root, env: { HOME: process.env.HOME ?? "/" } });
  open.push(terminal.end);
  return terminal;
}

const made = (root: string): string => readFileSync(path.join(root, "build/dev.txt"), "utf8");

function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}

describe("a watch", () => {
  it("loads changed definitions into the same process, and keeps those before while they are faulty", async () => {
    const root = demo();
    const tasks = readFileSync(path.join(root, "tasks/all.ts"), "utf8");
    const watch = startWatch(root, ["greet"]);
    expect(await watch.next("cycle-finished")).toMatchObject({ outcome: "succeeded" });
    put(root, "tasks/all.ts", `${tasks}\nconst broken = ;\n`);
    const kept = await watch.next("definitions-kept");
    expect(kept).toMatchObject({ changes: ["tasks/all.ts"] });
    expect(kept.text).toMatch(/does not compile/);
    put(root, "in/name", "Moon\n");
    expect(await watch.next("cycle-finished")).toMatchObject({ changes: ["in/name"], outcome: "succeeded" });
    expect(made(root)).toBe("Hello Moon\n");
    put(root, "tasks/all.ts", tasks.replace('out.file("text") },\n  run', 'out.file("../text") },\n  run'));
    const { text: why } = await watch.next("definitions-kept");
    expect(why).toMatch(/leaves its directory/);
    expect(why).not.toMatch(/a bug in razor-mk/);
    put(root, "tasks/all.ts", tasks.replace(".trim())", '.trim() + "!")'));
    expect(await watch.next("cycle-finished")).toMatchObject({
      changes: ["tasks/all.ts"],
      outcome: "succeeded",
    });
    expect(made(root)).toBe("Hello Moon!\n");
    put(root, "in/name", "Sun\n");
    await watch.next("cycle-finished");
    expect(made(root)).toBe("Hello Sun!\n");
    watch.child.kill("SIGTERM");
    expect((await watch.done).status).toBe(143);
  });

  it("ends when it is told to while changed definitions are being tried", async () => {
    const root = demo();
    const tasks = readFileSync(path.join(root, "tasks/all.ts"), "utf8");
    const watch = startWatch(root, ["greet"]);
    await watch.next("cycle-finished");
    const [tried, go] = [path.join(root, "tried"), path.join(root, "go")];
    for (const pipe of [tried, go]) execFileSync("mkfifo", [pipe]);
    const wait = `async () => { await writeFile("${tried}", ""); await readFile("${go}"); return "Hello"; }`;
    put(
      root,
      "tasks/all.ts",
      `import { readFile, writeFile } from "node:fs/promises";
let waited; const once = () => (waited ??= (${wait})());
${tasks.replace('default: "Hello"', "default: once")}`,
    );
    await readFile(tried);
    watch.child.kill("SIGINT");
    await writeFile(go, "");
    expect((await watch.done).status).toBe(130);
  });

  it("runs a command after each success, with the artifacts' paths", async () => {
    const root = demo();
    const seen = path.join(root, "seen");
    const fifo = `while ! mv "${seen}.new" "${seen}" 2>/dev/null; do echo "$TASK_ARTIFACTS" > "${seen}.new"; done`;
    const { child, done } = startTask(root, ["greet", "--json", "--on-success", `${fifo}; echo ran`]);
    open.push(() => child.kill("SIGKILL"));
    for await (const line of createInterface({ input: child.stdout ?? process.stdin }))
      if (line === "ran") break;
    expect(readFileSync(seen, "utf8")).toBe(`${path.join(root, "build/dev.txt")}\n`);
    child.kill("SIGINT");
    expect((await done).status).toBe(130);
  });

  it("boots each new image, one machine after the other, and ends the last one with itself", async () => {
    const root = demo();
    const tasks = readFileSync(path.join(root, "tasks/all.ts"), "utf8");
    put(root, "tasks/all.ts", tasks.replace("}.txt`", "}.iso`"));
    const { next: booted, env } = emulatorThatTells(root);
    const watch = startWatch(root, ["greet", "--boot"], env);
    const first = await booted();
    expect(first).toMatchObject({ image: "Hello World" });
    put(root, "in/name", "Moon\n");
    const second = await booted();
    expect(second).toMatchObject({ image: "Hello Moon" });
    expect(isAlive(first.pid)).toBe(false);
    put(root, "in/script", "exit 1\n");
    while ((await watch.next("cycle-finished")).outcome !== "failed");
    expect(isAlive(second.pid)).toBe(true);
    process.kill(second.pid, "SIGKILL");
    put(root, "in/name", "Sun\n");
    put(root, "in/script", "true\n");
    const third = await booted();
    expect(third).toMatchObject({ image: "Hello Sun" });
    watch.child.kill("SIGINT");
    expect((await watch.done).status).toBe(130);
    expect(isAlive(third.pid)).toBe(false);
  });

  it("refuses a command, which has nothing to watch", async () => {
    const run = await startTask(demo(), ["hello", "-w"]).done;
    expect(run.status).toBe(2);
    expect(run.stderr).toMatch(/hello is a command, which always runs and cannot be watched/);
  });
});

describe("a watch in a terminal", () => {
  it("shows each build in a line, answers keys, and gives the terminal back as it was", async () => {
    const root = demo();
    const terminal = watchInTerminal(root, "greet -w");
    await terminal.shows(/watching \d+ directories; \? lists the keys/);
    await terminal.shows(
      /✓ first build: rebuilt name, greet; \d+\.\d\d s to build\/dev\.txt \(12 B, sha256 [0-9a-f]{12}\)/,
    );
    put(root, "in/name", "Moon\n");
    await terminal.shows(/✓ in\/name changed: rebuilt name, greet; \d+\.\d\d s to build\/dev\.txt/);
    terminal.type("w");
    await terminal.shows(/greet: rebuilt\s+name made different outputs/);
    terminal.type("l");
    await terminal.shows(/--- output of name ---\s+reading the name/);
    put(root, "in/script", "echo on the way; exit 3\n");
    await terminal.shows(
      /--- output of greet ---\s+on the way\s+---\s+error: greet: a command exited with status 3/,
    );
    await terminal.shows(/✗ in\/script changed: failed: greet; 1 fresh; .*\s+waiting for a change/);
    put(root, "in/script", "true\n");
    await terminal.shows(/✓ in\/script changed: 2 fresh/);
    terminal.type("r");
    await terminal.shows(/✓ asked for: 2 fresh/);
    terminal.type("f");
    await terminal.shows(/✓ asked for: rebuilt name, greet/);
    terminal.type("?");
    await terminal.shows(/q {2}quit/);
    terminal.type("q");
    await terminal.shows(/status 0/);
    await terminal.shows(/[^-]icanon/);
    await terminal.shows(/[^-]echo /);
    expect(await terminal.ended).toBe(0);
  });

  it("ends by Ctrl-C in the middle of a build, with every process that it started", async () => {
    const root = demo();
    const pids = path.join(root, "pids");
    put(
      root,
      "in/script",
      `sleep 300 & echo $! $$ > "${pids}.new"; mv "${pids}.new" "${pids}"; echo up; wait\n`,
    );
    const terminal = watchInTerminal(root, "greet -w -v");
    await terminal.shows(/greet \| up/);
    expect(existsSync(pids)).toBe(true);
    const started = readFileSync(pids, "utf8").trim().split(" ").map(Number);
    expect(started.every(isAlive)).toBe(true);
    terminal.type("\u0003");
    await terminal.shows(/interrupted: stopping running tasks/);
    await terminal.shows(/status 130/);
    await terminal.shows(/[^-]icanon/);
    expect(await terminal.ended).toBe(0);
    expect(started.some(isAlive)).toBe(false);
    expect(existsSync(path.join(root, ".buildcache/v1/lock"))).toBe(false);
  });
});
