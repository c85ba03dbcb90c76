/** The compiled program always matches its sources. */
import { createHmac } from "node:crypto";
import { lstatSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { said, saying, withHook } from "./saying.ts";
import { put, runTask } from "./workshop.ts";

describe("a source that is saved", () => {
  it.each(["before", "after"])(
    "just %s it is read for the compiler is built as it is at the next run",
    async (when) => {
      const root = saying("old");
      const env = withHook(
        root,
        `const fs = require("node:fs");
const read = fs.readFileSync;
let saved = false;
fs.readFileSync = (file, ...options) => {
  if (saved || !String(file).endsWith("/tasks/said.ts")) return read(file, ...options);
  saved = true;
  const before = read(file, ...options);
  fs.writeFileSync(file, 'export const said = "new";\\n');
  return ${when === "before" ? "read(file, ...options)" : "before"};
};
require("node:module").syncBuiltinESMExports();
`,
      );
      expect(await runTask(root, ["says"], env)).toMatchObject({ status: 0 });
      expect(readFileSync(path.join(root, "tasks/said.ts"), "utf8")).toContain("new");
      expect(await runTask(root, ["says"])).toMatchObject({ status: 0 });
      expect(said(root)).toBe("new");
    },
  );

  it("while the task that imports it runs leaves no stamp, and is named", async () => {
    const root = saying("old");
    const env = { SAVE_SOURCE: path.join(root, "tasks/said.ts") };
    const run = await runTask(root, ["says"], env);
    expect(run).toMatchObject({ status: 0 });
    expect(run.stderr).toContain("tasks/said.ts changed while says ran");
    expect(said(root)).toBe("old");
    const next = await runTask(root, ["says"]);
    expect(next.stderr).toMatch(/✓ says: rebuilt/);
    expect(said(root)).toBe("later");
  });

  it("together with a package.json that changes how it is compiled is compiled anew", async () => {
    const root = saying("old");
    await runTask(root, ["says"]);
    put(root, "tasks/package.json", '{ "type": "commonjs" }\n');
    expect((await runTask(root, ["says"])).stderr).toMatch(/✓ says: rebuilt, its code changed/);
  });

  it("beside a tsconfig.json is compiled as it would be without", async () => {
    const root = saying("old");
    await runTask(root, ["says"]);
    put(
      root,
      "tsconfig.json",
      '{ "compilerOptions": { "target": "es5", "paths": { "./said.ts": ["./other.ts"] } } }\n',
    );
    put(root, "tasks/all.ts", `${readFileSync(path.join(root, "tasks/all.ts"), "utf8")}\n// edited\n`);
    expect(await runTask(root, ["says"])).toMatchObject({ status: 0 });
    expect(said(root)).toBe("old");
  });
});

describe("a record of compiled files", () => {
  it.each([
    ["another version of the program wrote", { format: 1, manifest: { libraryFolder: "lib" } }],
    ["a version without formats wrote", { libraryFolder: "lib" }],
  ])("that %s is as good as none", async (_, record) => {
    const root = saying("right");
    expect(await runTask(root, ["says"])).toMatchObject({ status: 0 });
    seal(root, JSON.stringify(record));
    const run = await runTask(root, ["says"]);
    expect(run).toMatchObject({ status: 0 });
    expect(run.stderr).not.toMatch(/error|warning/i);
    expect(said(root)).toBe("right");
  });
});

/** Records a text as the program does: sealed with a key that is bound to the place of its file. */
function seal(root: string, text: string): void {
  const compiled = path.join(root, ".buildcache/compiled");
  const keyFile = path.join(compiled, "seal.key");
  const { ino, ctimeNs } = lstatSync(keyFile, { bigint: true });
  const key = createHmac("sha256", readFileSync(keyFile)).update(`compiled ${ino} ${ctimeNs}`).digest();
  const digest = createHmac("sha256", key).update("manifest\0").update(text).digest("hex");
  writeFileSync(path.join(compiled, "manifest.json"), `${digest}\n${text}`);
}
