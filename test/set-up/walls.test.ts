/** The walls between the rooms of the source tree: every import that is not permitted fails lint. */
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, expect, it } from "vitest";
import { permitted } from "../support/rooms.ts";

const project = path.resolve(import.meta.dirname, "../..");
const directory = mkdtempSync(path.join(tmpdir(), "razor mk walls "));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** Lints a directory, absolute, and returns `file:line` of each place where the rule is broken. */
function lint(rule: string, place: string): readonly string[] {
  const biome = path.join(project, "node_modules/@biomejs/biome/bin/biome");
  const options = [`--only=${rule}`, "--reporter=github", "--max-diagnostics=none", "--colors=off"];
  const run = { cwd: place, encoding: "utf8" } as const;
  const { stdout, stderr, status } = spawnSync(process.execPath, [biome, "lint", ...options, "."], run);
  const found = [...stdout.matchAll(/^::error title=lint\/([^,]+),file=([^,]+),line=(\d+),/gm)];
  if ((status === 0) !== (found.length === 0)) throw new Error(`biome failed: ${stderr || stdout}`);
  return found.flatMap(([, title, file = "", line]) =>
    title === rule ? [`${path.relative(place, path.resolve(place, file))}:${line}`] : [],
  );
}

/** `lint` of these files and no others, by the project's configuration. */
function lintFiles(rule: string, files: Readonly<Record<string, string>>): readonly string[] {
  const place = mkdtempSync(path.join(directory, "tree "));
  // The temporary directory is no git repository.
  const { vcs: _, ...config } = JSON.parse(readFileSync(path.join(project, "biome.json"), "utf8"));
  writeFileSync(path.join(place, "biome.json"), JSON.stringify(config));
  cpSync(path.join(project, "biome-walls.json"), path.join(place, "biome-walls.json"));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(path.join(place, path.dirname(name)), { recursive: true });
    writeFileSync(path.join(place, name), text);
  }
  return lint(rule, place);
}

const isModule = (room: string): boolean => room.endsWith(".ts");
/** Whether a room is entered by its `index.ts` only. */
const hasEntry = (room: string): boolean => /^src\/([^/]+|cli\/(completion|doctor|init))$/.test(room);

/** Modules that an import may name, in every room and at the top of every directory with rooms. */
const targets: readonly { readonly room: string; readonly module: string; readonly isEntry: boolean }[] = [
  ...new Set([...Object.entries(permitted).flat(2), "src/cli"]),
].flatMap((room) => {
  if (isModule(room)) return [{ room, module: room, isEntry: true }];
  const inner = { room, module: `${room}/inner.ts`, isEntry: !hasEntry(room) };
  return hasEntry(room) ? [inner, { room, module: `${room}/index.ts`, isEntry: true }] : [inner];
});

/** `./b.ts`, as a module imports another; both named from the project's directory. */
function specifier(from: string, to: string): string {
  const relative = path.posix.relative(path.posix.dirname(from), to);
  return relative.startsWith(".") ? relative : `./${relative}`;
}

it("refuse each import that is not permitted, and no other", () => {
  const rooms = Object.entries(permitted).map(([room, allowed]) => {
    const file = isModule(room) ? room : `${room}/probe.ts`;
    return { file, allowed, probes: targets.filter((target) => target.room !== room) };
  });
  const files = Object.fromEntries(
    rooms.map(({ file, probes }) => [
      file,
      probes.map(({ module }) => `export * from "${specifier(file, module)}";\n`).join(""),
    ]),
  );
  const forbidden = rooms.flatMap(({ file, allowed, probes }) =>
    probes.flatMap(({ room, module, isEntry }, line) =>
      allowed.includes(room) && isEntry ? [] : [`${file}:${line + 1} ${module}`],
    ),
  );
  const moduleAt = new Map<string, string>(
    rooms.flatMap(({ file, probes }) =>
      probes.map(({ module }, line) => [`${file}:${line + 1}`, module] as const),
    ),
  );
  const refused = lintFiles("style/noRestrictedImports", files).map(
    (place) => `${place} ${moduleAt.get(place)}`,
  );
  expect([...refused].sort()).toEqual([...forbidden].sort());
});

it("refuse what is imported while the program runs, as a type, or passed on", () => {
  const module = "../files/digest.ts";
  const broken = lintFiles("style/noRestrictedImports", {
    "src/engine/define/probe.ts": [
      `import { a } from "${module}";`,
      `import type { B } from "${module}";`,
      `export { c } from "${module}";`,
      `export const load = () => import("${module}");`,
      `export const used: B = a;`,
    ].join("\n"),
  });
  expect(broken).toEqual([1, 2, 3, 4].map((line) => `src/engine/define/probe.ts:${line}`));
});

it("refuse import cycles", () => {
  const broken = lintFiles("suspicious/noImportCycles", {
    "src/host/one.ts": 'import { two } from "./two.ts";\nexport const one = () => two;\n',
    "src/host/two.ts": 'import { one } from "./one.ts";\nexport const two = () => one;\n',
    "src/host/three.ts": 'export { one } from "./one.ts";\n',
  });
  expect([...broken].sort()).toEqual(["src/host/one.ts:1", "src/host/two.ts:1"]);
});

it.each(["style/noRestrictedImports", "suspicious/noImportCycles"])("hold in the whole tree: %s", (rule) => {
  expect(lint(rule, project)).toEqual([]);
});
