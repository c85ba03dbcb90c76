/** The project's modules as text: what each imports from others, and exports. */
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";

const project = path.resolve(import.meta.dirname, "../..");

export interface Import {
  /** The module that is imported, by its path in the project. */
  readonly from: string;
  /** Names as the imported module has them; `*` for all of them. */
  readonly names: readonly string[];
  /** Whether they are passed on under these names. */
  readonly isPassedOn: boolean;
}

export interface Module {
  readonly imports: readonly Import[];
  /** Names of what it defines and exports itself. */
  readonly exports: readonly string[];
}

/** `import`s, `export … from`s and `import()`s of a file; lint keeps them in one form. */
const importPattern =
  /^(import|export)\b([^;"'`]*?)\bfrom "(\.[^"]+)";|(?:\{([^{}]*)\} = (?:await )?)?\bimport\("(\.[^"]+)"\)/gm;
const exportPattern =
  /^export (?:async )?(?:abstract )?(?:const|let|function\*?|class|interface|type) ([\w$]+)/gm;

/** The modules below these directories of the project, by their paths in it. */
export function readModules(...directories: readonly string[]): ReadonlyMap<string, Module> {
  const files = directories.flatMap((directory) =>
    readdirSync(path.join(project, directory), { recursive: true, encoding: "utf8" }).map((name) =>
      path.posix.join(directory, name),
    ),
  );
  return new Map(files.filter((file) => /\.m?[jt]s$/.test(file)).map((file) => readModule(file)));
}

/** One module, with its path in the project. */
export function readModule(file: string): readonly [file: string, module: Module] {
  const text = readFileSync(path.join(project, file), "utf8");
  const found = [...text.matchAll(importPattern)].map(
    ([, keyword, clause = "", source, assigned, loaded = ""]): Import => ({
      from: path.posix.join(path.posix.dirname(file), source ?? loaded),
      names:
        keyword === undefined ? namesIn(assigned === undefined ? "*" : `{${assigned}}`) : namesIn(clause),
      isPassedOn: keyword === "export",
    }),
  );
  return [file, { imports: found, exports: [...text.matchAll(exportPattern)].map(([, name = ""]) => name) }];
}

/** `type A, { b as c, type D }` as `A` would be imported: default, `b` and `D`; `*` for a whole module. */
function namesIn(clause: string): readonly string[] {
  if (clause.includes("*")) return ["*"];
  const listed = /\{([^}]*)\}/.exec(clause)?.[1] ?? "";
  const names = listed.split(",").map((one) => one.trim().replace(/^type /, ""));
  return names.flatMap((name) => (name === "" ? [] : [name.split(/ as |:/)[0] ?? ""]));
}
