/** A workspace that the fuzzer edits: its inputs, its outputs, and what its cache holds, all as plain files. */
import { createHash } from "node:crypto";
import {
  appendFileSync,
  chmodSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import type { Random } from "./random.ts";
import { directories, fileNames, libraryText, type Recipe, singles } from "./recipe.ts";

/** What a clean build is made of. */
const sources = ["Taskfile.ts", "tasks", "in"] as const;

export const cacheDirectory = ".buildcache/v1";
const compiledDirectory = ".buildcache/compiled";

export class Place {
  readonly root: string;
  /** Which of its texts the library has. */
  salt = "0";
  readonly #recipe: Recipe;
  readonly #random: Random;

  constructor(root: string, recipe: Recipe, random: Random) {
    this.root = root;
    this.#recipe = recipe;
    this.#random = random;
  }

  /** Copies what a clean build is made of into a directory; files there that are the same already are not written to. */
  copyTo(directory: string): void {
    const filter = (from: string, to: string): boolean =>
      !existsSync(to) || !statSync(from).isFile() || !readFileSync(from).equals(readFileSync(to));
    for (const name of sources)
      cpSync(this.at(name), path.join(directory, name), { recursive: true, filter });
  }

  at(name: string): string {
    return path.join(this.root, name);
  }

  /** Names every state that a clean build can be made of. */
  sourceDigest(): string {
    return createHash("sha256").update(listing(this.root, sources).join("\n")).digest("hex");
  }

  /** The outputs of a build of everything, one entry a line. */
  outputs(variant: string): readonly string[] {
    const places = this.#recipe.tasks.map(({ name, place, shared }) =>
      place === "artifact"
        ? `build/${name}`
        : `${cacheDirectory}/out/${shared ? "shared" : variant}/${name}/made`,
    );
    return listing(this.root, [...places, "build/all"]);
  }

  /** Changes an input in some way that editors, version control and careless scripts do; returns what it was. */
  edit(): string {
    const random = this.#random;
    const name = random.chance(0.7)
      ? `in/${random.pick(directories)}/${random.pick(fileNames)}`
      : random.pick(singles);
    const file = this.at(name);
    const text = `${random.below(3)}\n`;
    mkdirSync(path.dirname(file), { recursive: true });
    const there = existsSync(file);
    const how = random.pick([
      "write",
      "write",
      "write",
      "append",
      "delete",
      "touch",
      "mode",
      "replace",
      "stealth",
      "swap",
      "directory",
    ] as const);
    switch (how) {
      case "write":
        writeFileSync(file, text);
        break;
      case "append":
        appendFileSync(file, text.trim());
        break;
      case "delete":
        rmSync(file, { force: true });
        break;
      case "touch":
        if (there) utimesSync(file, new Date(), new Date());
        break;
      case "mode":
        if (there) chmodSync(file, random.pick([0o644, 0o755, 0o600]));
        break;
      case "replace":
        writeFileSync(`${file}~`, text);
        renameSync(`${file}~`, file);
        break;
      case "stealth": {
        // Same size, same time of change of the content.
        if (!there) break;
        const { atime, mtime, size } = statSync(file);
        writeFileSync(file, text.padEnd(size).slice(0, size));
        utimesSync(file, atime, mtime);
        break;
      }
      case "swap": {
        const other = this.at(`in/${random.pick(directories)}/${random.pick(fileNames)}`);
        if (other === file || !there || !existsSync(other)) break;
        renameSync(file, `${file}~`);
        renameSync(other, file);
        renameSync(`${file}~`, other);
        break;
      }
      case "directory":
        if (random.chance(0.5))
          mkdirSync(this.at(`in/${random.pick(directories)}/empty`), { recursive: true });
        else rmSync(this.at(`in/${random.pick(directories)}`), { recursive: true, force: true });
        break;
    }
    return `${how} ${name} (${text.trim()})`;
  }

  /** Changes the module that every task imports. */
  editLibrary(): string {
    this.salt = String(this.#random.below(3));
    writeFileSync(this.at("tasks/library.ts"), libraryText(this.salt));
    return `salt ${this.salt}`;
  }

  /** Changes what a build made. */
  tamperOutput(variant: string): string {
    const random = this.#random;
    const task = random.pick(this.#recipe.tasks);
    const name =
      task.place === "artifact"
        ? `build/${task.name}`
        : `${cacheDirectory}/out/${task.shared ? "shared" : variant}/${task.name}/made`;
    const made = this.at(name);
    if (lstatSync(made, { throwIfNoEntry: false }) === undefined) return "nothing to tamper with";
    const isDirectory = lstatSync(made).isDirectory();
    const how = random.pick(["remove", "write", "mode", "stray", "link", "kind"] as const);
    const file = isDirectory ? path.join(made, "sub/text") : made;
    switch (how) {
      case "remove":
        rmSync(made, { recursive: true });
        break;
      case "write":
        if (existsSync(file)) appendFileSync(file, "tampered");
        break;
      case "mode":
        if (existsSync(file)) chmodSync(file, (statSync(file).mode & 0o100) === 0 ? 0o755 : 0o644);
        break;
      case "stray":
        if (isDirectory) writeFileSync(path.join(made, "stray"), "stray");
        break;
      case "link":
        rmSync(made, { recursive: true });
        symlinkSync("elsewhere", made);
        break;
      case "kind":
        rmSync(made, { recursive: true });
        if (isDirectory) writeFileSync(made, "a file");
        else mkdirSync(made);
        break;
    }
    return `output ${how} ${name}`;
  }

  /** Damages what the cache remembers: a disk may do that, and a user. */
  damageCache(): string {
    const random = this.#random;
    const all = this.at(".buildcache");
    const root = this.at(cacheDirectory);
    if (!existsSync(root)) return "no cache";
    const how = random.pick([
      ...(["record", "record", "log", "blob", "blob", "store", "all", "key"] as const),
      "compiled",
    ] as const);
    const within = (directory: string): string[] =>
      existsSync(path.join(root, directory))
        ? readdirSync(path.join(root, directory), { recursive: true, encoding: "utf8" })
            .sort()
            .map((name) => path.join(root, directory, name))
            .filter((name) => lstatSync(name).isFile())
        : [];
    const files = {
      record: within("up-to-date"),
      log: ["stamps.log", "files.log"].map((name) => path.join(root, name)).filter(existsSync),
      blob: within("store"),
      store: [path.join(root, "store")],
      all: [all],
      compiled: within(path.relative(root, this.at(compiledDirectory))),
      key: [path.join(root, "secret.key")],
    }[how];
    if (files.length === 0) return "nothing to damage";
    const file = random.pick(files);
    if (how === "store" || how === "all" || how === "key" || random.chance(0.3)) {
      rmSync(file, { recursive: true, force: true });
      return `remove ${path.relative(all, file)}`;
    }
    chmodSync(file, 0o644);
    const { size } = statSync(file);
    if (random.chance(0.3)) {
      truncateSync(file, random.below(size + 1));
      return `truncate ${path.relative(all, file)}`;
    }
    const bytes = readFileSync(file);
    const at = random.below(Math.max(1, size));
    if (size > 0) bytes[at] = (bytes[at] ?? 0) ^ (1 << random.below(8));
    writeFileSync(file, bytes);
    return `flip byte ${at} of ${path.relative(all, file)}`;
  }
}

/** Every entry at and below paths: kind, executable bit, name, content. */
function listing(root: string, names: readonly string[]): readonly string[] {
  return names.flatMap((name) => {
    const file = path.join(root, name);
    const status = lstatSync(file, { throwIfNoEntry: false });
    if (status === undefined) return [`nothing ${name}`];
    if (status.isSymbolicLink()) return [`link ${name} ${readlinkSync(file)}`];
    if (status.isDirectory()) {
      const children = readdirSync(file).sort();
      return [
        `directory ${name}`,
        ...listing(
          root,
          children.map((child) => `${name}/${child}`),
        ),
      ];
    }
    const kind = (status.mode & 0o100) === 0 ? "file" : "program";
    return [`${kind} ${name} ${JSON.stringify(readFileSync(file, "utf8"))}`];
  });
}
