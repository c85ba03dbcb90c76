// A project with extensions of its own: one file of a directory, one source of a recipe, one key of an account edited, and nothing changed
// with forty recipes. Beside each what the edit of a controller script costs, or a `node -e 0`.
import { mkdir, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { measure } from "./harness/measurement.js";
import { settle } from "./harness/place.js";
import { show } from "./harness/table.js";
import { buildSample, edit, openWorkspace } from "./harness/workspace.js";

const program = `#include <stdio.h>\nint main(void) { puts("hello"); return 0; }\n`;
const makefile =
  "all: hello\ninstall:\n\tmkdir -p $(DESTDIR)/usr/local/bin && cp hello $(DESTDIR)/usr/local/bin\n";

/** @param {import("./run.js").Options} options */
export async function run({ runs = 8 }) {
  const workspace = await openWorkspace("own");
  const cwd = workspace.root;
  /** @param {string} name @param {string} text */
  const write = async (name, text) => {
    await mkdir(path.dirname(path.join(cwd, name)), { recursive: true });
    await writeFile(path.join(cwd, name), text);
  };
  await rm(path.join(cwd, "extensions"), { recursive: true, force: true });
  const names = Array.from({ length: 40 }, (_, index) => `recipe${index}`);
  for (const name of names)
    await write(
      `extensions/${name}/recipe.yaml`,
      `version: 1\nsteps: {make: 'true', install: 'mkdir -p $DESTDIR/opt && echo ${name} >$DESTDIR/opt/${name}'}\n`,
    );
  await write("extensions/compiled/recipe.yaml", "version: 1\nsource: src\nbuild-needs: [compiletc.tcz]\n");
  await write("extensions/compiled/src/hello.c", program);
  await write("extensions/compiled/src/Makefile", makefile);
  await write("extensions/folder/tree/usr/local/etc/folder.conf", "0\n");
  await write("lists/accounts.yaml", "users: [{name: eve}]\n");
  const listed = (/** @type {readonly string[]} */ all) =>
    write("own.lst", ["bash", "ruby", "openssh", ...all].map((name) => `${name}.tcz\n`).join(""));
  await listed(["folder", "compiled"]);
  await buildSample(workspace);
  const options = ["iso", "--source", "sample", "-b", "own.lst"];
  const command = workspace.task(...options);
  await workspace.build(...options);
  const change = (/** @type {string} */ script, /** @type {string} */ file) => [
    "bash",
    "-c",
    script,
    path.join(cwd, file),
  ];
  const rows = await measure(
    [
      { name: "a controller script", command, cwd, prepare: edit(workspace) },
      {
        name: "a file of a directory's extension",
        command,
        cwd,
        prepare: change('date +%s%N >"$0"', "extensions/folder/tree/usr/local/etc/folder.conf"),
      },
      {
        name: "a source file of a recipe",
        command,
        cwd,
        runs: Math.min(runs, 3),
        prepare: change(
          `sed -i "s/puts(.*)/puts(\\"$(date +%s%N)\\")/" "$0"`,
          "extensions/compiled/src/hello.c",
        ),
      },
      {
        name: "an account",
        command,
        cwd,
        prepare: change('echo "users: [{name: eve, gecos: e$(date +%s%N)}]" >"$0"', "lists/accounts.yaml"),
      },
    ],
    { runs },
  );
  await show("own", {
    title: "one thing of the project's own edited, sample source, dev",
    aim: "a directory's file at most 3 × the script, an account at most 2 ×",
    reference: "a controller script",
    rows,
  });

  await listed(["folder", "compiled", ...names]);
  await settle(() => workspace.build(...options));
  const still = await measure(
    [
      { name: "node -e 0", command: [process.execPath, "-e", "0"], cwd },
      { name: "forty recipes, nothing changed", command, cwd },
    ],
    { runs: Math.max(runs, 20), warmup: 2 },
  );
  await show("own-noop", {
    title: "forty recipes, sample source, nothing changed",
    aim: "at most 1.4 × `node -e 0`",
    reference: "node -e 0",
    rows: still,
  });
}
