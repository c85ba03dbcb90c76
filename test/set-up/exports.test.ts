/** Exports have a use: in another module, or as a part of the package's interface. */
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { readModule, readModules } from "../support/modules.ts";

const { exports: entries } = JSON.parse(readFileSync("package.json", "utf8"));
/** What the package offers, and the program's own entries, which `bin/` loads once they are compiled. */
const entryPoints: readonly string[] = [
  // Generated from the .proto file, with all that may be of use.
  "src/remote/reapi_pb.ts",
  ...Object.values<string>(entries).map((entry) => entry.replace(/^\.\//, "")),
  "src/cli/main.ts",
  "src/cli/commands/worker.ts",
];

it("are used by another module, or belong to an entry point", () => {
  // The Taskfile is one of the entry points; the tasks that it imports are used by nothing else.
  const modules = new Map([
    ...readModules("src", "tasks", "test", "bin", "bench"),
    readModule("Taskfile.ts"),
  ]);
  const used = new Set<string>();
  const use = (file: string, name: string): void => {
    const key = `${file} ${name}`;
    if (used.has(key)) return;
    used.add(key);
    const module = modules.get(file);
    for (const { from, names, isPassedOn } of module?.imports ?? [])
      if (isPassedOn && (name === "*" || names.includes(name) || names.includes("*")))
        for (const one of name === "*" ? names : [name]) use(from, one);
  };
  for (const entry of entryPoints) use(entry, "*");
  for (const { imports } of modules.values())
    for (const { from, names, isPassedOn } of imports)
      if (!isPassedOn) for (const name of names) use(from, name);

  const unused = [...modules].flatMap(([file, { exports }]) =>
    /^(src|tasks(?!\/templates))\//.test(file)
      ? exports
          .filter((name) => !used.has(`${file} ${name}`) && !used.has(`${file} *`))
          .map((name) => `${file}: ${name}`)
      : [],
  );
  expect(unused).toEqual([]);
});
