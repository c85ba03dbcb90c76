/** The figure of the rooms in docs/architecture.md draws the imports that there are, and no others. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { expect, it } from "vitest";
import { readModule, readModules } from "../support/modules.ts";

/** The room of a module, as the figure names it. */
function roomOf(file: string): string {
  const directory = path.posix.dirname(file);
  const entry = /^(src\/[^/]+)\/index\.ts$/.exec(file);
  if (entry !== null) return entry[1] ?? file;
  // What lies directly in a directory with rooms is in none of them.
  if (["src/cli", "src/engine", "src/fetch", "."].includes(directory)) return file;
  // The steps that make a source are below the others.
  if (file.startsWith("tasks/sample-")) return file;
  const rooms = ["src/cli/", "src/engine/", "src/fetch/"].some((one) => file.startsWith(one)) ? 3 : 2;
  return file.startsWith("src/") ? file.split("/").slice(0, rooms).join("/") : directory;
}

it("has each arrow that an import makes, and none besides", () => {
  const text = readFileSync("docs/architecture.md", "utf8");
  const drawn = [...text.matchAll(/^(\S+) +→ (.+)$/gm)].flatMap(([, room = "", targets = ""]) =>
    targets.split(/ +/).map((target) => {
      const isBeside = !target.includes("/") && target !== "tasks";
      return `${room} → ${isBeside ? path.posix.join(path.posix.dirname(room), target) : target}`;
    }),
  );
  const modules = [...readModules("src", "tasks"), readModule("Taskfile.ts")];
  const real = modules
    .filter(([file]) => !file.startsWith("tasks/templates/"))
    .flatMap(([file, { imports }]) => imports.map(({ from }) => [roomOf(file), roomOf(from)] as const))
    // The entry of a directory passes on what its rooms have.
    .filter(([room, other]) => room !== other && !(room.startsWith("src/") && other.startsWith(`${room}/`)))
    .filter(([, other]) => /^(src|tasks)/.test(other) && other !== "src/errors")
    .map(([room, other]) => `${room} → ${other}`);
  expect([...drawn].sort()).toEqual([...new Set(real)].sort());
});
