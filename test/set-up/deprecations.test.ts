/** Uses of what Node is to deprecate, as the checks under newer Nodes see them. */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, expect, it } from "vitest";

const directory = mkdtempSync(path.join(tmpdir(), "razor mk deprecated "));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

function runHooked(name: string, text: string) {
  const file = path.join(directory, name);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, text);
  const hook = path.resolve(import.meta.dirname, "../support/deprecations.cjs");
  const options = `--pending-deprecation --no-warnings --require=${JSON.stringify(hook)}`;
  return spawnSync(process.execPath, [file], {
    encoding: "utf8",
    env: { ...process.env, NODE_OPTIONS: options },
  });
}

it("fail in the project's own code, and pass in that of others", () => {
  const text = 'process.binding("fs"); setTimeout(() => console.log("done"), 10);\n';
  const own = runHooked("own.cjs", text);
  expect(own.status).not.toBe(0);
  expect(own.stderr).toContain("DEP0111");
  expect(runHooked("node_modules/other/index.cjs", text)).toMatchObject({
    status: 0,
    stdout: "done\n",
    stderr: "",
  });
});

it("hide no warning of another kind", () => {
  expect(runHooked("warning.cjs", 'process.emitWarning("look here");\n')).toMatchObject({
    status: 0,
    stderr: expect.stringContaining("Warning: look here"),
  });
});
