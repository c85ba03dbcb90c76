/** Whole screens, as somebody sees them who starts, edits, breaks, repairs, interrupts and resizes. */
import { readFileSync, renameSync, rmSync } from "node:fs";
import path from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { TerminalWindow } from "./tmux.ts";
import { demo, program, put, runTask } from "./workshop.ts";

const open: TerminalWindow[] = [];
afterEach(async () => {
  for (const window of open.splice(0)) await window.end();
});

function start(
  root: string,
  words: string,
  { before = "", setting = "", columns = 80 } = {},
): TerminalWindow {
  const command = `${before} env ${setting} '${process.execPath}' '${program}' ${words}`;
  const window = new TerminalWindow(command, { cwd: root, env: { HOME: root }, columns });
  open.push(window);
  return window;
}

/** Without what differs from run to run: how long things took, and how many directories the engine's sources lie in. */
const steady = (screen: string): string =>
  screen
    .replace(/\b(\d+ min )?\d+(\.\d+)? s\b/g, "0.00 s")
    .replace(/watching \d+ directories/, "watching 15 directories");

describe("the screen of a watch", () => {
  it("tells of a start, an edit, a break, a repair, a look back and the end", async () => {
    const root = demo();
    const window = start(root, "greet -w");
    await window.shows(/first build: /);
    put(root, "in/name", "Moon\n");
    await window.shows(/in\/name changed: /);
    put(root, "in/script", "echo on the way; exit 3\n");
    await window.shows(/waiting for a change/);
    put(root, "in/script", "true\n");
    await window.shows(/✓ in\/script changed: /);
    window.type("?");
    await window.shows(/q {2}quit/);
    window.type("q");
    expect(steady(await window.shows(/status 0/))).toMatchInlineSnapshot(`
      "watching 15 directories; ? lists the keys
      ✓ name 0.00 s  never built
      ✓ greet 0.00 s  never built
      ✓ first build: rebuilt name, greet; 0.00 s to build/dev.txt (12 B, sha256 d2a84f4b8b65)
      ✓ name 0.00 s  in/name changed
      ✓ greet 0.00 s  name made different outputs
      ✓ in/name changed: rebuilt name, greet; 0.00 s to build/dev.txt (11 B, sha256 5d7fcc502f65)
      --- output of greet ---
      on the way
      ---
      error: greet: a command exited with status 3
      ✗ in/script changed: failed: greet; 1 fresh; 0.00 s
      waiting for a change
      ✓ in/script changed: 2 fresh; 0.00 s to build/dev.txt (11 B, sha256 5d7fcc502f65)
      r  build again
      f  rebuild everything, even if nothing changed
      w  why: all reasons of the last build
      l  log: the output of its tasks
      q  quit
      status 0"
    `);
  });

  it("says when faulty definitions are in order again, what it said already only once, and why still", async () => {
    const root = demo();
    const tasks = readFileSync(path.join(root, "tasks/all.ts"), "utf8");
    const window = start(root, "greet -w -r");
    await window.shows(/first build: /);
    put(root, "tasks/all.ts", `${tasks}const faulty = ;\n`);
    await window.shows(/previous tasks stay in use/);
    put(root, "tasks/all.ts", tasks);
    await window.shows(/✓ tasks\/all.ts changed: /);
    window.type("W");
    await window.shows(/name: rebuilt/);
    window.type("q");
    expect(steady(await window.shows(/status 0/))).toMatchInlineSnapshot(`
      "note: -r is not needed
      watching 15 directories; ? lists the keys
      ✓ name 0.00 s  never built
      ✓ greet 0.00 s  never built
      ✓ first build: rebuilt name, greet; 0.00 s to build/dev.txt (12 B, sha256 d2a84f4b8b65)
      error: the Taskfile or a task does not compile [compile-failed]

      ✘ [ERROR] Unexpected ";"

          tasks/all.ts:26:15:
            26 │ const faulty = ;
               ╵                ^
      ✗ tasks/all.ts changed, but the previous tasks stay in use
      ✓ tasks/all.ts changed: 2 fresh; 0.00 s to build/dev.txt (12 B, sha256 d2a84f4b8b65)
      name: rebuilt
        never built
      greet: rebuilt
        never built
      status 0"
    `);
  });

  it("has one reason, and how many more, where there is no room for all", async () => {
    const root = demo();
    const window = start(root, "greet -w", { columns: 40 });
    await window.shows(/first build: /);
    put(root, "more/one.txt", "");
    put(root, "more/two.txt", "");
    renameSync(path.join(root, "more"), path.join(root, "in/more"));
    expect(await window.shows(/✓ in\/more.* changed: /)).toMatch(
      /^✓ greet [\d.]+ s {2}in\/more\/one\.txt added; and 1 more$/m,
    );
  });

  it("draws over nothing where the terminal was never told its size", async () => {
    const root = demo();
    put(root, "in/script", `while test ! -e '${path.join(root, "go")}'; do sleep 0.1; done\n`);
    const window = start(root, "greet", { before: "stty cols 0 rows 0; echo above;" });
    await window.shows(/[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏] greet/);
    put(root, "go", "");
    expect(steady(await window.shows(/status 0/))).toMatchInlineSnapshot(`
      "above
      ✓ name 0.00 s  never built
      ✓ greet 0.00 s  never built
      done: 2 rebuilt in 0.00 s
      build/dev.txt  12 B  sha256 d2a84f4b8b650937ec8f73cd8be2c74add5a911ba64df27458ed8229da804a26
      status 0"
    `);
  });

  it("is whole again after an interruption", async () => {
    const root = demo();
    put(root, "in/script", "echo up; sleep 300\n");
    const window = start(root, "greet -w -v");
    await window.shows(/greet \| up/);
    window.type("\u0003");
    expect(steady(await window.shows(/status 130/))).toMatchInlineSnapshot(`
      "watching 15 directories; ? lists the keys
        name | reading the name
      ✓ name 0.00 s  never built
        greet | up
      interrupted: stopping running tasks
      status 130"
    `);
  });

  it("keeps nothing of what moved when the terminal becomes narrower meanwhile", async () => {
    const root = demo();
    put(root, "in/script", `while test ! -e '${path.join(root, "go")}'; do sleep 0.1; done\n`);
    const window = start(root, "greet -w");
    await window.shows(/[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏] greet/);
    window.resize(40);
    await window.shows(/[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏] greet/);
    put(root, "go", "");
    await window.shows(/first build/);
    window.type("q");
    expect(steady(await window.shows(/status 0/))).toMatchInlineSnapshot(`
      "watching 15 directories; ? lists the keys
      ✓ name 0.00 s  never built
      ✓ greet 0.00 s  never built
      ✓ first build: rebuilt name, greet; 0.00 s to build/dev.txt (12 B, sha256 d2a84f4b8b65)
      status 0"
    `);
  });

  it.each(["TERM=dumb", "CI=true"])("has plain lines only with %s", async (setting) => {
    const root = demo();
    const window = start(root, "greet -w", { setting });
    await window.shows(/first build: /);
    put(root, "in/name", "Moon\n");
    await window.shows(/in\/name changed: /);
    window.type("q");
    expect(steady(await window.shows(/status 0/))).toMatchSnapshot();
    // Colours are no movement.
    expect(window.raw).not.toMatch(/\\033\[(?![\d;]*m)/);
  });
});

describe("the screen of a build", () => {
  it("shows what a failed task printed once, and then what to do", async () => {
    const root = demo();
    put(root, "in/script", "echo on the way; exit 3\n");
    const window = start(root, "greet");
    expect(steady(await window.shows(/status 1/))).toMatchInlineSnapshot(`
      "✓ name 0.00 s  never built
      --- output of greet ---
      on the way
      ---
      error: greet: a command exited with status 3
      failed: 1 task; earlier results are kept; fix the problem and run again, only the remaining tasks will run
      status 1"
    `);
  });

  it("counts what is skipped where somebody looks on, and names it with what failed elsewhere", async () => {
    const root = demo();
    const change = (file: string, from: string, to: string) =>
      put(root, file, readFileSync(path.join(root, file), "utf8").replace(from, to));
    change(
      "tasks/all.ts",
      "export const hello",
      `export const cheer = task({ name: "cheer", description: "Cheer", needs: { greet }, outputs: { text: out.file("text") }, run: () => {} });
export const hello`,
    );
    change("Taskfile.ts", "{ greet, ", "{ cheer, greet, ");
    change("Taskfile.ts", "[name, greet, ", "[name, greet, cheer, ");
    put(root, "in/script", "exit 3\n");
    rmSync(path.join(root, "in/name"));
    const window = start(root, "cheer");
    const [what, , , end] = (await window.shows(/status 1/)).split("\n");
    expect(what).toBe("error: name: the file in/name does not exist [input-missing]");
    expect(end).toMatch(/^failed: 1 task, 2 that need it skipped; /);
    expect((await runTask(root, ["cheer"])).stderr).toMatch(
      /^- skipped, since name failed: greet, cheer\nfailed: 1 task, 2 that need it skipped/m,
    );
  });
});

describe("the menu", () => {
  it.each([80, 40])("fits %i columns", async (columns) => {
    const window = start(demo(), "", { columns });
    await window.shows(/Esc quits/);
    window.type("\u001b[B");
    expect(await window.shows(/› hello/)).toMatchSnapshot();
    window.type("q");
    await window.shows(/status 0/);
  });
});
