/** Tasks whose commands have the terminal. */
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { openTerminal } from "./terminal.ts";
import { demo, program, put, runTask } from "./workshop.ts";

const tasks = `
import { readFileSync, writeFileSync } from "node:fs";
import { out, task } from "ENGINE";
export const ask = task({
  name: "ask", description: "Ask for a name", interactive: true, tools: ["sh"],
  outputs: { text: out.artifact("build/answer") },
  run: async ({ outputs, $ }) => {
    await $\`sh -c \${'trap "echo once more" INT; answer=; until test -n "$answer"; do printf "name? "; read -r answer; done; echo "$answer" >"$1"'} sh \${outputs.text}\`;
  },
});
export const greet = task({
  name: "greet", description: "Greet who answered", needs: { ask }, outputs: { text: out.artifact("build/greeting") },
  run: ({ needs, outputs }) => writeFileSync(outputs.text, "Hello " + readFileSync(needs.ask.text, "utf8")),
});
`;

function project(): string {
  const root = demo();
  const all = readFileSync(path.join(root, "tasks/all.ts"), "utf8");
  put(root, "tasks/ask.ts", tasks.replace("ENGINE", /from "(.*engine\/index\.ts)"/.exec(all)?.[1] ?? ""));
  const taskfile = readFileSync(path.join(root, "Taskfile.ts"), "utf8");
  put(
    root,
    "Taskfile.ts",
    taskfile
      .replace("targets: [name, greet, hello]", "targets: [ask, greet]")
      .replace("aliases: { hi: greet }, ", "")
      .replace(
        /import \{ greet, greeting.*/,
        'import { greeting } from "./tasks/all.ts";\nimport { ask, greet } from "./tasks/ask.ts";',
      ),
  );
  return root;
}

describe("an interactive task", () => {
  it("has the terminal: it asks, Ctrl-C is its own, and the build goes on with its answer", async () => {
    const root = project();
    const terminal = openTerminal(`'${process.execPath}' '${program}' greet`, { cwd: root, env: {} });
    try {
      await terminal.shows(/name\? /);
      terminal.type("\u0003");
      await terminal.shows(/once more/);
      terminal.type("World\r");
      await terminal.shows(/2 rebuilt/);
    } finally {
      terminal.end();
      await terminal.ended;
    }
    expect(readFileSync(path.join(root, "build/greeting"), "utf8")).toBe("Hello World\n");
    expect(existsSync(path.join(root, ".buildcache/v1/lock"))).toBe(false);
  });

  it("is refused where the terminal is in use: by a watch, or by --json", async () => {
    const root = project();
    for (const [option, what] of [
      ["-w", "a watch"],
      ["--json", "--json"],
    ] as const) {
      const refused = await runTask(root, ["greet", option]);
      expect(refused.status).toBe(2);
      expect(refused.stderr).toContain(
        `ask is interactive: its commands need the terminal, which ${what} uses itself`,
      );
    }
  });
});
