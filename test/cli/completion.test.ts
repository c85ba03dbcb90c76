/** Completion as the real shells do it, and how it is installed. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, symlinkSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { usesPrograms } from "../support/programs.ts";
import { openTerminal } from "./terminal.ts";
import { checkout, demo, put, runTask } from "./workshop.ts";

usesPrograms("fish", "zsh");

/** The demonstration, with a home in it, the program beside it, and completion installed for the shell. */
async function prepared(shell: string) {
  const root = demo();
  const home = path.join(root, "a home");
  mkdirSync(home);
  symlinkSync(path.join(checkout, "bin/task.js"), path.join(root, "task.js"));
  put(root, "node_modules/.bin/here", "");
  symlinkSync(path.join(checkout, "bin/task.js"), path.join(root, "node_modules/.bin/razor-mk"));
  put(root, "in/some list.lst", "");
  for (const file of [".bashrc", ".zshrc"]) put(home, file, "PS1='ready>'\n");
  const run = await runTask(root, ["completion", "install"], { HOME: home, SHELL: `/usr/bin/${shell}` });
  expect(run.stderr).toBe("");
  return { root, home };
}

/** What a person at the keyboard sees. */
async function typeInto(shell: string, command: string) {
  const { root, home } = await prepared(shell);
  const terminal = openTerminal(command, { cwd: root, env: { HOME: home } });
  try {
    await terminal.shows(/ready>/);
    terminal.type("./task.js grap\t--help\r");
    await terminal.shows(/usage: task graph \[target\]/);
    await terminal.shows(/ready>/);
    terminal.type("./task.js gr\t\t");
    await terminal.shows(/graph[\s\S]*greet|greet[\s\S]*graph/);
    terminal.type("\u0015");
    // A switch, a choice behind a flag and one behind `=`, a file's name with a blank.
    terminal.type('./task.js graph hi --form\tsv\t\u0001printf "%s|" \u0005\r');
    await terminal.shows(/task\.js\|graph\|hi\|--format\|svg\|/);
    await terminal.shows(/ready>/);
    terminal.type('./task.js graph --format=js\t\u0001printf "%s|" \u0005\r');
    await terminal.shows(/task\.js\|graph\|--format=json\|/);
    await terminal.shows(/ready>/);
    terminal.type('npx task why na\t\u0001printf "%s|" \u0005\r');
    await terminal.shows(/npx\|task\|why\|name\|/);
    await terminal.shows(/ready>/);
    terminal.type('./task.js hi --config in/some\t\u0001printf "%s|" \u0005\r');
    await terminal.shows(/task\.js\|hi\|--config\|in\/some list\.lst\|/);
  } finally {
    terminal.end();
    await terminal.ended;
  }
}

describe("completion", () => {
  it("fills in commands, targets, flags, values and files in bash", async () => {
    await typeInto("bash", "bash --noprofile -i");
  });

  it("fills in commands, targets, flags, values and files in zsh", async () => {
    await typeInto("zsh", "zsh -d -i");
  });

  it("explains in zsh what has an explanation, and puts no dashes behind the rest", async () => {
    const { root, home } = await prepared("zsh");
    const ask = (...words: readonly string[]) =>
      execFileSync(
        "zsh",
        [
          "-fc",
          'compdef() { : }; _describe() { print -rl -- $offered }; . "$HOME"/.local/share/razor-mk/completion.zsh; words=("$@"); CURRENT=$#; PREFIX=$@[-1]; _razor_mk',
          "zsh",
          ...words,
        ],
        { cwd: root, encoding: "utf8", env: { PATH: process.env.PATH, HOME: home } },
      );
    expect(ask("./task.js", "cache", "")).toBe("stats\ngc\nverify\nclear\n");
    expect(ask("./task.js", "gre")).toBe("greet:Greet the name\n");
  });

  it("fills in commands, targets, flags, values and files in fish, with what each is", async () => {
    const { root, home } = await prepared("fish");
    const ask = (line: string) =>
      execFileSync("fish", ["-c", "complete -C $argv[1]", line], {
        cwd: root,
        encoding: "utf8",
        env: { PATH: process.env.PATH, HOME: home },
      }).split("\n");
    expect(ask("./task.js g")).toEqual(["greet\tGreet the name", expect.stringMatching(/^graph\t/), ""]);
    expect(ask("./task.js hi --pr")).toEqual(["--prod\tthe prod variant: for real", ""]);
    expect(ask("./task.js graph --format=s")).toEqual(["--format=svg", ""]);
    expect(ask("./task.js hi --config in/so")).toEqual(["in/some list.lst", ""]);
    expect(ask("./task.js cache g")).toEqual(["gc", ""]);
    expect(ask("npx task why na")).toEqual(["name\tRead the name", ""]);
  });

  it("offers files to a target that takes files, and a choice or a path to an option that takes either", async () => {
    const ask = async (...words: readonly string[]) =>
      (await runTask(checkout, ["completion", "answer", "zsh", "--", ...words])).stdout;
    expect(await ask("diff", "")).toBe("files\n");
    expect(await ask("iso", "--source=s")).toMatch(/^words\nsample\t/);
    expect(await ask("iso", "--source", "/mnt/mir")).toBe("files\n");
    // A name of lists/sources.yaml.
    expect(await ask("iso", "--source=tinycore-16-")).toMatch(/^words\ntinycore-16-x86_64\t/);
    expect(await ask("iso", "--build-p")).toMatch(/^words\n--build-prod-image\t/);
    expect(await ask("update", "")).toBe("words\n");
  });

  it("offers only commands that need no project where there is none", async () => {
    const asked = await runTask("/", ["completion", "answer", "fish", "--", ""]);
    expect(asked.stdout).toMatch(/^completion\t/m);
    expect(asked.stdout).not.toMatch(/^(iso|why)\t/m);
  });

  it("is installed once, beside what is in the start file, and never over what is somebody else's", async () => {
    const root = demo();
    const env = { HOME: root, SHELL: "/bin/bash" };
    put(root, ".bashrc", "alias ll='ls -l'");
    const first = await runTask(root, ["completion", "install"], env);
    expect(first.stdout).toContain(path.join(root, ".local/share/razor-mk/completion.bash"));
    const startFile = readFileSync(path.join(root, ".bashrc"), "utf8");
    expect(startFile).toMatch(
      /^alias ll='ls -l'\n\[ -r '.*completion\.bash' \] && \. '.*completion\.bash'\n$/,
    );
    expect((await runTask(root, ["completion", "install"], env)).stdout).toMatch(/is already up to date/);
    expect(readFileSync(path.join(root, ".bashrc"), "utf8")).toBe(startFile);

    put(root, ".config/fish/conf.d/razor-mk.fish", "echo mine\n");
    const refused = await runTask(root, ["completion", "install", "fish"], env);
    expect(refused).toMatchObject({ status: 1, stderr: expect.stringMatching(/another program wrote/) });
    expect(readFileSync(path.join(root, ".config/fish/conf.d/razor-mk.fish"), "utf8")).toBe("echo mine\n");

    const unknown = await runTask(root, ["completion", "install"], { HOME: root, SHELL: "/bin/dash" });
    expect(unknown).toMatchObject({
      status: 2,
      stderr: expect.stringMatching(/the shell "dash" is not supported/),
    });
    expect(existsSync(path.join(root, ".dashrc"))).toBe(false);
  });
});
