/** A command that goes on until it is ended, and uses what a task makes: alone, and with --watch. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { demo, put, startTask } from "./workshop.ts";

const offer = `
import { readFileSync } from "node:fs";
import { command } from "ENGINE";
import { name } from "./all.ts";
let count = 0;
export const offer = command({
  name: "offer", description: "Offer the name", params: {}, serves: name,
  run: async ({ keep, serve, builtOutputs, variant, variants, print }) => {
    const kept = await keep(async () => ({ pid: process.pid, uses: 0 }));
    return await serve(async () => {
      kept.uses += 1;
      const built = await builtOutputs(name, variant);
      const other = await builtOutputs(name, "prod");
      const [fact] = [...(built?.files.values() ?? [])];
      print(\`VERSION \${kept.uses} \${readFileSync(built?.paths.text ?? "", "utf8")} \${fact?.size} \${other === undefined} \${variants}\`);
    });
  },
});
`;

function project(): string {
  const root = demo();
  const taskfile = readFileSync(path.join(root, "Taskfile.ts"), "utf8");
  const [, engine = ""] = /from "(.*engine.*)"/.exec(taskfile) ?? [];
  putOffer(root, "one");
  put(
    root,
    "Taskfile.ts",
    taskfile
      .replace("import { greet", 'import { offer } from "./tasks/offer.ts";\nimport { greet')
      .replace("greet, hello]", "greet, hello, offer]"),
  );
  expect(engine).not.toBe("");
  return root;
}

function putOffer(root: string, version: string): void {
  const tasks = readFileSync(path.join(root, "tasks/all.ts"), "utf8");
  const [, engine = ""] = /from "(.*engine.*)"/.exec(tasks) ?? [];
  put(root, "tasks/offer.ts", offer.replace("ENGINE", engine).replace("VERSION", version));
}

/** The command, and a way to wait for its next line on standard output. */
function start(root: string, words: readonly string[]) {
  const { child, done } = startTask(root, ["offer", ...words]);
  let text = "";
  let wake = (): void => {};
  child.stdout?.on("data", (chunk) => {
    text += chunk;
    wake();
  });
  child.once("close", () => wake());
  const next = async (): Promise<string> => {
    for (;;) {
      const end = text.indexOf("\n");
      if (end >= 0) {
        const line = text.slice(0, end);
        text = text.slice(end + 1);
        return line;
      }
      if (child.exitCode !== null) throw new Error(`it ended: ${(await done).stderr}`);
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  };
  return { child, done, next };
}

describe("a command that serves a task", () => {
  it.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const)("builds it, goes on, and ends quietly by %s with status %i", async (signal, status) => {
    const root = project();
    const { child, done, next } = start(root, []);
    expect(await next()).toBe("one 1 World 5 true dev,prod,debug");
    child.kill(signal);
    const run = await done;
    expect(run.status).toBe(status);
    expect(run.stderr).not.toMatch(/interrupted|error/);
  });

  it("fails where the task does", async () => {
    const root = project();
    put(root, "in/script", "exit 1\n");
    const broken = readFileSync(path.join(root, "tasks/all.ts"), "utf8");
    put(root, "tasks/all.ts", broken.replace('log("reading the name");', 'throw new Error("no name");'));
    const run = await start(root, []).done;
    expect(run.status).toBe(1);
    expect(run.stderr).toContain("no name");
  });

  it("uses each new result with --watch, keeps what it has when its sources change, and ends", async () => {
    const root = project();
    const { child, done, next } = start(root, ["--watch"]);
    expect(await next()).toBe("one 1 World 5 true dev,prod,debug");
    put(root, "in/name", "Moon\n");
    expect(await next()).toBe("one 2 Moon 4 true dev,prod,debug");
    putOffer(root, "two");
    expect(await next()).toBe("two 3 Moon 4 true dev,prod,debug");
    put(root, "in/name", "Mars!\n");
    expect(await next()).toBe("two 4 Mars! 5 true dev,prod,debug");
    child.kill("SIGINT");
    expect((await done).status).toBe(130);
  });

  it("is the only kind of command that can be watched, and only alone", async () => {
    const root = project();
    const hello = await startTask(root, ["hello", "-w"]).done;
    expect([hello.status, hello.stderr]).toEqual([2, expect.stringContaining("[watch-command]")]);
    const both = await startTask(root, ["offer", "greet", "-w"]).done;
    expect([both.status, both.stderr]).toEqual([2, expect.stringContaining("[watch-command]")]);
  });

  it("has the options of what it builds in its help", async () => {
    const run = await startTask(project(), ["offer", "--help"]).done;
    expect(run.stdout).toMatch(/--watch/);
    expect(run.stdout).toMatch(/Variants:/);
  });
});
