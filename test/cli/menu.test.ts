/** The menu as somebody at a terminal uses it; what it prints elsewhere is command-line.test.ts's. */
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { openTerminal } from "./terminal.ts";
import { checkout, demo } from "./workshop.ts";

const program = `'${process.execPath}' '${path.join(checkout, "bin/task.js")}'`;

/** The menu between two looks at the terminal's settings; then its status is printed, and whether they are the same. */
function openMenu(words = "", edit: (tasks: string) => string = (tasks) => tasks) {
  const root = demo();
  const tasks = path.join(root, "tasks/all.ts");
  writeFileSync(tasks, edit(readFileSync(tasks, "utf8")));
  const script = `stty -a >before; ${program} ${words}; s=$?; stty -a >after; cmp before after && echo "left with $s, sane"`;
  const env = { HOME: root };
  return { root, terminal: openTerminal(`sh -c '${script.replaceAll("'", "'\\''")}'`, { cwd: root, env }) };
}

describe("the menu on a terminal", () => {
  it("stands under a banner, marks what most people want, and is left by q, Esc and Ctrl-C with all as it was", async () => {
    const keys = { q: 0, "\u001b": 0, "\u0003": 130 };
    for (const [key, status] of Object.entries(keys)) {
      const { terminal } = openMenu();
      await terminal.shows(/ {9}Demo\r\n version Hello\r\n variant dev \(for work\)\r\n/);
      await terminal.shows(/ {2}name .*- Read the name\r\n› greet \(hi\) .*- Greet the name\r\n {2}hello/);
      await terminal.shows(/q or Esc quits/);
      terminal.type(key);
      expect(await terminal.shows(/left with \d+, sane/)).toBe(`left with ${status}, sane`);
      expect(await terminal.ended).toBe(0);
    }
  });

  it("runs what arrows and Enter choose, for the variant that was named", async () => {
    const { root, terminal } = openMenu("--prod");
    await terminal.shows(/variant prod[\s\S]*q or Esc quits/);
    terminal.type("\u001b[B");
    await terminal.shows(/› hello/);
    terminal.type("\u001b[A");
    await terminal.shows(/› greet/);
    terminal.type("\r");
    await terminal.shows(/\$ task --prod greet/);
    await terminal.shows(/left with 0, sane/);
    await terminal.ended;
    expect(readFileSync(path.join(root, "build/prod.txt"), "utf8")).toBe("Hello World\n");
  });

  it("runs what is typed, and says when nothing has that name", async () => {
    const { terminal } = openMenu();
    await terminal.shows(/q or Esc quits/);
    terminal.type("hex");
    await terminal.shows(/hex.*no match/);
    terminal.type("\u007f");
    await terminal.shows(/› hello/);
    terminal.type("\r");
    await terminal.shows(/\$ task hello[\s\S]*\nhello\r\n/);
    await terminal.shows(/left with 0, sane/);
    await terminal.ended;
  });

  it("has a heading above each group of the real Taskfile's targets", async () => {
    const terminal = openTerminal(program, { cwd: checkout, env: { HOME: demo() }, rows: 60 });
    await terminal.shows(/ look\r\n {2}version [\s\S]* fetch\r\n {2}fetch-iso [\s\S]* build\r\n/);
    terminal.type("q");
    expect(await terminal.ended).toBe(0);
  });

  it("lets Tab choose the source", async () => {
    const { root, terminal } = openMenu("", (file) =>
      file
        .replace(
          "export const name =",
          `export const source = param.choice({
  name: "source", description: "where from", value: "SOURCE", choices: ["here"], choicesIn: () => ["there"], open: true, default: "here",
});
export const name =`,
        )
        .replace("params: { greeting, password }", "params: { greeting, password, source }")
        .replace("params.greeting}", "params.greeting + params.source}"),
    );
    await terminal.shows(/ variant dev \(for work\)\r\n source here\r\n[\s\S]*Tab changes the source/);
    terminal.type("\t");
    await terminal.shows(/there/);
    terminal.type("\r");
    await terminal.shows(/\$ task --source there greet/);
    await terminal.shows(/left with 0, sane/);
    await terminal.ended;
    expect(readFileSync(path.join(root, "build/dev.txt"), "utf8")).toBe("Hellothere World\n");
  });
});
