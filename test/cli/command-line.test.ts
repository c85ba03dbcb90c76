/** What a user types, what is understood of it, and how a mistake is answered. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { demo, program, put, runTask, snapshot } from "./workshop.ts";

describe("wrong usage", () => {
  it.each([
    [["gret"], /there is no target "gret"/, /did you mean greet\?/],
    [["--greating", "x"], /unknown option '--greating'/, /did you mean --greeting\?/],
    [["-p", "-d", "greet"], /one variant: prod or debug/, /omit --debug/],
    [["greet", "-j", "none"], /--jobs is "none"/, /positive integer/],
    [["why"], /usage: task why <target>/, /error/],
    [["why", "hello"], /hello is a command/, /error/],
    [["graph", "--format", "png"], /--format is "png"/, /dot, mermaid, json/],
    [["cache", "explode"], /`cache` has no action "explode" \[cache-usage\]/, /use stats, gc/],
    [["--config", "nowhere.conf", "greet"], /nowhere\.conf/, /cannot be read/],
  ])("%j is refused with status 2, a reason and what was meant", async (words, what, hint) => {
    const run = await runTask(demo(), words);
    expect(run.status).toBe(2);
    expect(run.stderr).toMatch(what);
    expect(run.stderr).toMatch(hint);
    expect(run.stderr).not.toMatch(/^\s+at /m);
    expect(run.stdout).toBe("");
  });

  it("outside of any workspace says which file is looked for", async () => {
    const run = await runTask("/", ["greet"]);
    expect(run.status).toBe(2);
    expect(run.stderr).toMatch(/neither this directory nor one above it has a Taskfile\.ts \[no-project\]/);
  });

  it("of a variant in the environment names the variable and the choices", async () => {
    const run = await runTask(demo(), ["greet"], { DEMO_TYPE: "test" });
    expect(run).toMatchObject({ status: 2 });
    expect(run.stderr).toMatch(/DEMO_TYPE is "test".*dev, prod, debug/);
  });
});

describe("what cannot be done", () => {
  it.each(["--summary", "--trace"])("is said before the build when %s cannot be written", async (option) => {
    const root = demo();
    const run = await runTask(root, ["greet", option, "nowhere/file"]);
    expect(run.stderr).toBe(
      `error: ${option} nowhere/file cannot be written: no such file or directory [report-unwritable]\n` +
        "  hint: name a file in an existing, writable directory\n",
    );
    expect(run.status).toBe(1);
    expect(existsSync(path.join(root, "build"))).toBe(false);
  });

  it("is said where the current directory was removed", async () => {
    const script = 'mkdir gone && cd gone && rmdir ../gone && exec "$@"';
    const words = ["-c", script, "sh", process.execPath, program, "list"];
    const run = spawnSync("sh", words, { cwd: demo(), encoding: "utf8" });
    expect(run.stderr).toBe(
      "error: the current directory no longer exists [directory-missing]\n  hint: change into the project's directory\n",
    );
    expect(run.status).toBe(2);
  });

  it("is said in words, not in the names of the system's calls, and lists no steps that nobody asks for", async () => {
    const root = demo();
    const told = async (...words: readonly string[]) => {
      const { status, stderr } = await runTask(root, words);
      return { status, error: stderr.split("\n")[0], hint: stderr.split("\n")[1] };
    };
    expect(await told("greet", "--config", "nowhere")).toMatchObject({
      status: 2,
      error: "error: --config nowhere cannot be read: no such file or directory [config-unreadable]",
    });
    // What never ends is not read to its end.
    for (const option of ["--config", "--tc-passwd-file"]) {
      expect(await told("greet", option, "/dev/zero")).toEqual({
        status: 2,
        error: `error: ${option} /dev/zero is larger than 1 MiB [file-too-large]`,
        hint: "  hint: check the file name",
      });
    }
    expect(await told("manual", "greet")).toMatchObject({
      status: 2,
      error: "error: `manual` takes no arguments [usage]",
    });
    expect(await told("xyzzy")).toMatchObject({
      status: 2,
      hint: "  hint: `task list` shows the targets, `task --help` the commands",
    });
  });
});

describe("a question", () => {
  it("is answered on standard output, and builds nothing", async () => {
    const root = demo();
    const help = await runTask(root, ["--help"]);
    expect(help.status).toBe(0);
    for (const word of ["--greeting <TEXT>", "greet", "Greet the name", "why <target>", "-k, --keep-going"])
      expect(help.stdout).toContain(word);
    expect(await runTask(root, ["--version"])).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/^razor-mk \d+\.\d+\.\d+\n$/),
    });
    const menu = await runTask(root, []);
    expect(menu.status).toBe(0);
    for (const word of ["Demo", "version Hello", "variant dev (for work)", "greet", "hello", "Read the name"])
      expect(menu.stdout).toContain(word);
    expect(existsSync(path.join(root, "build"))).toBe(false);
    expect(existsSync(path.join(root, ".buildcache/v1"))).toBe(false);
  });

  it("writes nothing, before the first build and after it", async () => {
    const root = demo();
    const ask = async () => {
      for (const words of [
        ["greet", "--dry-run", "-t", "hush"],
        ["why", "greet", "-t", "hush"],
        ["list"],
        ["list", "--json"],
        ["graph"],
        ["graph", "greet", "--format", "json"],
        ["cache", "stats"],
      ]) {
        expect(await runTask(root, words)).toMatchObject({ status: 0 });
      }
    };
    const fresh = snapshot(root);
    await ask();
    expect(snapshot(root)).toEqual(fresh);
    expect((await runTask(root, ["greet", "-t", "hush"])).status).toBe(0);
    put(root, "in/name", "Moon\n");
    const built = snapshot(root);
    await ask();
    expect(snapshot(root)).toEqual(built);
    const why = await runTask(root, ["why", "greet", "-t", "hush"]);
    expect(why.stdout).toMatch(/name(@dev)?: would run, in\/name changed/);
    expect(why.stdout).toMatch(/greet(@dev)?: would maybe run, depends on the outputs of name/);
  });
});

describe("a value", () => {
  it("comes from the command line, else the file, else the environment, else the default", async () => {
    const root = demo();
    put(root, "demo.conf", "# chosen\nexport DEMO_GREETING='Good day' # polite\n\nDEMO_TYPE=\"prod\"\n");
    const text = async (words: readonly string[], env: Readonly<Record<string, string>> = {}) => {
      const run = await runTask(root, ["greet", ...words], env);
      expect(run.status, run.stderr).toBe(0);
      return readFileSync(path.join(root, run.stdout.split("  ")[0] ?? ""), "utf8");
    };
    expect(await text([])).toBe("Hello World\n");
    expect(await text([], { DEMO_GREETING: "Hi" })).toBe("Hi World\n");
    expect(await text(["-c", "demo.conf"], { DEMO_GREETING: "Hi" })).toBe("Good day World\n");
    expect(existsSync(path.join(root, "build/prod.txt"))).toBe(true);
    expect(await text(["--config=demo.conf", "--greeting=Hail", "--debug"])).toBe("Hail World\n");
    expect(existsSync(path.join(root, "build/debug.txt"))).toBe(true);
    // As in the old script, which took an empty value for none and let the file win over the environment.
    put(root, "empty.conf", "DEMO_GREETING=\nDEMO_TYPE=''\nDEMO_PASSWORD=\n");
    const env = { DEMO_GREETING: "Hi", DEMO_TYPE: "nothing", DEMO_PASSWORD: "x" };
    expect(await text(["-c", "empty.conf"], env)).toBe("Hello World\n");
  });

  it.each([
    ["DEMO_GREETING=$(touch evil)", /not expanded here/],
    ['DEMO_GREETING="`touch evil`"', /not expanded here/],
    ["DEMO_GREETING=a; touch evil", /shell characters/],
    ["DEMO_GREETING", /not KEY=value/],
    ["DEMO_GREETNG=x", /not a known key/],
  ])("in a file as %s is refused with its line, and never run", async (line, message) => {
    const root = demo();
    put(root, "demo.conf", `\n${line}\n`);
    const run = await runTask(root, ["-c", "demo.conf", "greet"]);
    expect(run.status).toBe(2);
    expect(run.stderr).toMatch(message);
    expect(run.stderr).toContain("demo.conf:2");
    expect(existsSync(path.join(root, "evil"))).toBe(false);
  });

  it("that is no longer needed is answered with one line", async () => {
    const run = await runTask(demo(), ["-r", "greet"]);
    expect(run.status).toBe(0);
    expect(run.stderr.match(/-r is not needed/g)).toHaveLength(1);
  });

  it("that is no longer needed is answered too where a configuration file or the environment has it", async () => {
    const root = demo();
    put(root, "old.cfg", "DEMO_RE_USE_PREV_DL=no\n");
    for (const run of [
      await runTask(root, ["greet", "--config", "old.cfg"]),
      await runTask(root, ["greet"], { DEMO_RE_USE_PREV_DL: "yes" }),
    ]) {
      expect(run.status, run.stderr).toBe(0);
      expect(run.stderr.match(/-r is not needed/g)).toHaveLength(1);
    }
  });
});

describe("a Taskfile", () => {
  it("is found from a subdirectory, and an edit of it or of a task takes effect at once", async () => {
    const root = demo();
    const deep = path.join(root, "in/deep");
    mkdirSync(deep);
    expect((await runTask(deep, ["greet"])).status).toBe(0);
    expect((await runTask(deep, ["greet"])).stderr).toMatch(/nothing to do/);
    const tasks = readFileSync(path.join(root, "tasks/all.ts"), "utf8");
    put(root, "tasks/all.ts", tasks.replace('{ log("reading', '{ log("still reading'));
    const run = await runTask(deep, ["greet"]);
    expect(run.stderr).toMatch(/its code changed/);
    put(root, "tasks/all.ts", tasks);
    expect((await runTask(deep, ["greet"])).stderr).toMatch(/nothing to do/);
    put(
      root,
      "Taskfile.ts",
      readFileSync(path.join(root, "Taskfile.ts"), "utf8").replace('"Demo"', '"Another"'),
    );
    expect((await runTask(root, [])).stdout).toContain("Another");
  });

  it("with a mistake in it is told with file and line, and works again when it is repaired", async () => {
    const root = demo();
    const good = readFileSync(path.join(root, "Taskfile.ts"), "utf8");
    put(root, "Taskfile.ts", `${good}\nconst = 1;\n`);
    const run = await runTask(root, ["greet"]);
    expect(run.status).toBe(1);
    expect(run.stderr).toMatch(new RegExp(`Taskfile\\.ts:${good.split("\n").length + 1}:\\d+`));
    expect(run.stderr).not.toMatch(/^\s+at /m);
    put(root, "Taskfile.ts", good);
    expect((await runTask(root, ["greet"])).status).toBe(0);
  });
});
