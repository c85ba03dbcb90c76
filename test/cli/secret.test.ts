/** How a secret reaches the program, and who gets to see it. */
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { demo, put, runTask, typeTask } from "./workshop.ts";

/** A workspace whose task writes down the secret that it was given. */
function revealing(): { readonly root: string; readonly seen: () => string } {
  const root = demo();
  const target = path.join(root, "seen");
  put(root, "in/script", `cat "$KEY" >'${target}'\n`);
  return { root, seen: () => readFileSync(target, "utf8") };
}

describe("a secret", () => {
  it("that a variable holds is in the environment of no process that is started", async () => {
    const { root, seen } = revealing();
    const tasks = readFileSync(path.join(root, "tasks/all.ts"), "utf8");
    const asking = `default: () => { writeFileSync("asked", execFileSync("env")); return "Hello"; }`;
    put(
      root,
      "tasks/all.ts",
      `import { execFileSync } from "node:child_process";\n${tasks.replace('default: "Hello"', asking)}`,
    );
    put(
      root,
      "in/script",
      `${readFileSync(path.join(root, "in/script"), "utf8")}env >'${root}/of the command'\n`,
    );
    const run = await runTask(root, ["greet"], { DEMO_PASSWORD: "opensesame", DEMO_OTHER: "1" });
    expect(run, run.stderr).toMatchObject({ status: 0 });
    expect(seen()).toBe("opensesame");
    for (const name of ["asked", "of the command"])
      expect(readFileSync(path.join(root, name), "utf8"), name).not.toContain("opensesame");
    expect(readFileSync(path.join(root, "asked"), "utf8")).toContain("DEMO_OTHER=1");
  });

  it("is the one line of a file that its second option names, relative to where the command was given", async () => {
    const { root, seen } = revealing();
    put(root, "in/my password", "from a file\n");
    const run = await runTask(path.join(root, "in"), ["greet", "--tc-passwd-file", "my password"]);
    expect(run, run.stderr).toMatchObject({ status: 0 });
    expect(seen()).toBe("from a file");
  });

  it.each([[["-t", "-"]], [["--tc-passwd=-"]], [["--tc-passwd-file", "-"]]])(
    "is the first line of standard input with %j",
    async (words) => {
      const { root, seen } = revealing();
      const run = await runTask(root, ["greet", ...words], {}, "from a pipe\nand more\n");
      expect(run, run.stderr).toMatchObject({ status: 0 });
      expect(seen()).toBe("from a pipe");
    },
  );

  it("in a file with a byte order mark does not have it in it, nor one from standard input", async () => {
    const { root, seen } = revealing();
    put(root, "in/windows", "\uFEFFgeheim\r\n");
    const run = await runTask(root, ["greet", "--tc-passwd-file", "in/windows"]);
    expect(run, run.stderr).toMatchObject({ status: 0 });
    expect(seen()).toBe("geheim");
    const piped = await runTask(root, ["greet", "-f", "-t", "-"], {}, "\uFEFFgehört\r\n");
    expect(piped, piped.stderr).toMatchObject({ status: 0 });
    expect(seen()).toBe("gehört");
  });

  it("in another encoding than UTF-8 is refused, since nobody could type what it was taken for", async () => {
    const { root } = revealing();
    writeFileSync(path.join(root, "in/latin1"), Buffer.from("geh\xf6rt\n", "latin1"));
    const run = await runTask(root, ["greet", "--tc-passwd-file", "in/latin1"]);
    expect(run).toMatchObject({
      status: 2,
      stderr: expect.stringContaining("--tc-passwd-file in/latin1 is not valid UTF-8"),
    });
    expect(run.stderr).not.toContain("geh");
  });

  it("is asked for twice on a terminal, which shows nothing of it", async () => {
    const { root, seen } = revealing();
    const { status, screen } = await typeTask(
      root,
      ["greet", "-t", "-"],
      [
        ["tc-passwd: ", "geheimX\u007f9\r"],
        ["tc-passwd, again: ", "geheim9\r"],
      ],
    );
    expect(status, screen).toBe(0);
    expect(seen()).toBe("geheim9");
    expect(screen).not.toContain("geheim");
  });

  it("that is mistyped the second time is refused, and Ctrl-C at the question ends the program", async () => {
    const { root } = revealing();
    const mistyped = await typeTask(
      root,
      ["greet", "-t", "-"],
      [
        ["tc-passwd: ", "one\r"],
        ["tc-passwd, again: ", "other\r"],
      ],
    );
    expect(mistyped).toMatchObject({ status: 2, screen: expect.stringContaining("differ") });
    const cancelled = await typeTask(root, ["greet", "-t", "-"], [["tc-passwd: ", "\u0003"]]);
    expect(cancelled).toMatchObject({ status: 130, screen: expect.stringContaining("interrupted") });
  });

  it("is not asked for by what does not need it", async () => {
    const run = await runTask(demo(), ["name", "-t", "-"], {}, "");
    expect(run, run.stderr).toMatchObject({ status: 0 });
  });

  it("from the command line wins over one from the environment, file or not", async () => {
    const { root, seen } = revealing();
    put(root, "first", "first\n");
    put(root, "second", "second\n");
    const fromFile = await runTask(root, ["greet", "--tc-passwd-file", "first"], {
      DEMO_PASSWORD: "environment",
    });
    expect(fromFile.status, fromFile.stderr).toBe(0);
    expect(seen()).toBe("first");
    const environment = await runTask(root, ["greet"], { DEMO_PASSWORD_FILE: "second" });
    expect(environment.status, environment.stderr).toBe(0);
    expect(seen()).toBe("second");
  });

  it.each([
    [["--tc-passwd-file", "nowhere"], "--tc-passwd-file nowhere cannot be read"],
    [["--tc-passwd-file", "in/empty"], "has no line"],
    [["--tc-passwd-file", "in/two"], "has more than one line"],
    [["--tc-passwd-file", "in/name", "-t", "geheim"], "--tc-passwd and --tc-passwd-file set the same secret"],
    [["-t", "-"], "standard input has no tc-passwd in its first line"],
  ])("given as %j is refused with status 2, without being shown", async (words, message) => {
    const root = demo();
    put(root, "in/empty", "\n");
    put(root, "in/two", "geheim\ngeheim\n");
    const run = await runTask(root, ["greet", ...words], {}, "");
    expect(run).toMatchObject({ status: 2, stderr: expect.stringContaining(message) });
    expect(run.stderr).not.toContain("geheim");
  });

  it("on the command line is in no list of processes while the task runs", async () => {
    const root = demo();
    put(root, "in/script", `ps -ww -eo args >'${path.join(root, "seen")}'\n`);
    const run = await runTask(root, ["greet", "--tc-passwd", "geheim-4711"]);
    expect(run, run.stderr).toMatchObject({ status: 0 });
    const processes = readFileSync(path.join(root, "seen"), "utf8");
    expect(processes).toContain("--tc-passwd ***");
    expect(processes).not.toContain("geheim-4711");
  });
});
