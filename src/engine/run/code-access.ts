/** Which files a task's own JavaScript touches in an audited build: the functions of node:fs note the paths that they are given. */
import { AsyncLocalStorage } from "node:async_hooks";
import childProcess from "node:child_process";
import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import path from "node:path";
import { fileURLToPath } from "node:url";
import threads from "node:worker_threads";
import { isModuleLoading } from "./module-loader.ts";

/**
 * What was done with a path. A directory is `listed`; `looked at` is what tells no content, such as stat(2). `copied`
 * and `searched` are for a directory with all below it. What was `ran` is a program's name or a thread, not a path:
 * neither is seen from here.
 */
export type CodeAccessKind = "ran" | "wrote" | "read" | "copied" | "searched" | "listed" | "looked at";

/** An absolute path, with links resolved: those on the way to it, and where the function followed it the last one too. */
export interface CodeAccess {
  readonly kind: CodeAccessKind;
  readonly path: string;
}

/** What the code of one task touched. */
export class AccessRecord {
  readonly #seen = new Map<string, CodeAccess>();

  get all(): Iterable<CodeAccess> {
    return this.#seen.values();
  }

  note(kind: CodeAccessKind, place: string): void {
    this.#seen.set(`${kind} ${place}`, { kind, path: place });
  }
}

/** What a function does with each of its first arguments; `link` where it does not follow a link there. */
interface Use {
  readonly kind: CodeAccessKind;
  readonly link?: true;
}

const read: Use = { kind: "read" };
const looked: Use = { kind: "looked at" };
const readLinkStatus: Use = { kind: "looked at", link: true };
const listed: Use = { kind: "listed" };
const wrote: Use = { kind: "wrote" };
const wroteLink: Use = { kind: "wrote", link: true };

/** For each function, in all its forms, what it does with its arguments; undefined for one that is no path. */
const uses: Readonly<Record<string, readonly (Use | undefined)[]>> = {
  readFile: [read],
  createReadStream: [read],
  openAsBlob: [read],
  readdir: [listed],
  opendir: [listed],
  stat: [looked],
  statfs: [looked],
  access: [looked],
  exists: [looked],
  realpath: [looked],
  watch: [looked],
  watchFile: [looked],
  lstat: [readLinkStatus],
  readlink: [readLinkStatus],
  writeFile: [wrote],
  appendFile: [wrote],
  createWriteStream: [wrote],
  truncate: [wrote],
  chmod: [wrote],
  chown: [wrote],
  utimes: [wrote],
  mkdir: [wroteLink],
  mkdtemp: [wroteLink],
  mkdtempDisposable: [wroteLink],
  unlink: [wroteLink],
  rm: [wroteLink],
  rmdir: [wroteLink],
  lchmod: [wroteLink],
  lchown: [wroteLink],
  lutimes: [wroteLink],
  rename: [wroteLink, wroteLink],
  symlink: [undefined, wroteLink],
  link: [{ kind: "read", link: true }, wroteLink],
  copyFile: [read, wrote],
  cp: [{ kind: "copied" }, wrote],
};

/** The functions that start another process; what that does is only seen where the task's shell starts it. */
const starters = ["spawn", "spawnSync", "exec", "execSync", "execFile", "execFileSync", "fork"];

type Callable = (...args: unknown[]) => unknown;

interface Call {
  readonly args: readonly unknown[];
  /** Of the task whose code calls. */
  readonly record: AccessRecord;
  /** The function that was called in place of the original one. */
  readonly called: (...args: never[]) => unknown;
}

type Noting = (call: Call) => void;

export class CodeAccesses {
  readonly #scopes = new AsyncLocalStorage<AccessRecord | undefined>();

  /** Does work whose accesses are noted in the record. */
  inside<T>(record: AccessRecord, work: () => T): T {
    return this.#scopes.run(record, work);
  }

  /** Does work that is the engine's own, although a task asks for it. */
  outside<T>(work: () => T): T {
    // Not exit(): in Node 20 what goes on after an await in it would belong to the task again.
    return this.#scopes.run(undefined, work);
  }

  /** Notes what the engine does with a file because a task's code asks for it. */
  note(kind: "read" | "wrote", file: string, record: AccessRecord): void {
    this.outside(() => record.note(kind, realPlace(path.resolve(file))));
  }

  /** Replaces the functions until the returned function is called. */
  listen(): () => void {
    const undo: (() => void)[] = [];
    const replace = (holder: object, name: string, make: (original: Callable) => unknown): void => {
      const original: unknown = Reflect.get(holder, name);
      if (typeof original !== "function") return;
      const replacement = make(original as Callable);
      Reflect.set(holder, name, replacement);
      undo.push(() => {
        // What was put over it since calls this one, which then notes nothing any more.
        if (Reflect.get(holder, name) === replacement) Reflect.set(holder, name, original);
      });
    };
    const noting = (before: Noting) => (original: Callable) => this.#noting(original, before);
    for (const [name, what] of Object.entries(uses)) {
      const make = noting((call) => noteUses(what, call));
      replace(fs, name, make);
      replace(fs, `${name}Sync`, make);
      replace(fs.promises, name, make);
    }
    const open = noting((call) => {
      const kind = writesWith(call.args[1]) ? "wrote" : "read";
      noteUses([{ kind }], call);
    });
    const glob = noting((call) => {
      const { cwd = process.cwd() } = Object(call.args[1]) as { readonly cwd?: unknown };
      noteUses([{ kind: "searched" }], { ...call, args: [cwd] });
    });
    for (const [name, make] of Object.entries({ open, glob })) {
      replace(fs, name, make);
      replace(fs, `${name}Sync`, make);
      replace(fs.promises, name, make);
    }
    const start = noting(({ args, record }) => record.note("ran", String(args[0]).split(" ")[0] ?? ""));
    for (const name of starters) replace(childProcess, name, start);
    replace(
      threads,
      "Worker",
      noting(({ record }) => record.note("ran", "a thread")),
    );
    syncBuiltinESMExports();
    return () => {
      for (const one of undo) one();
      syncBuiltinESMExports();
      // Node 20 never lets go of a storage that is enabled.
      this.#scopes.disable();
    };
  }

  /** The function, which also calls `note` where a task's code calls it; `realpath.native` is a function of its own. */
  #noting(original: Callable, note: Noting): Callable {
    const noteCall = (args: readonly unknown[], called: Call["called"]): void => {
      const record = this.#scopes.getStore();
      if (record !== undefined) this.outside(() => note({ args, record, called }));
    };
    const apply = (target: Callable, self: unknown, args: unknown[]): unknown => {
      noteCall(args, apply);
      return Reflect.apply(target, self, args);
    };
    const construct = (target: Callable, args: unknown[], made: (...args: never[]) => unknown): object => {
      noteCall(args, construct);
      return Reflect.construct(target, args, made) as object;
    };
    return new Proxy(original, {
      apply,
      construct,
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name);
        return name === "native" && typeof value === "function"
          ? this.#noting(value as Callable, note)
          : value;
      },
    });
  }
}

function noteUses(what: readonly (Use | undefined)[], { args, record, called }: Call): void {
  for (const [index, use] of what.entries()) {
    const given = pathOf(args[index]);
    if (use === undefined || given === undefined) continue;
    const place = use.link === true ? withRealDirectory(given) : realPlace(given);
    if (use.kind !== "wrote" && isModuleLoading(place, called)) continue;
    record.note(use.kind, place);
  }
}

/** The path of an argument as node:fs takes it, absolute; undefined for a descriptor, and for what is refused anyway. */
function pathOf(given: unknown): string | undefined {
  if (typeof given === "string") return path.resolve(given);
  if (given instanceof Uint8Array) return path.resolve(Buffer.from(given).toString());
  if (given instanceof URL && given.protocol === "file:") return fileURLToPath(given);
  return undefined;
}

/** The path with all its links resolved; of what is not there, those of the directories that are. */
function realPlace(file: string): string {
  try {
    return fs.realpathSync.native(file);
  } catch {
    return withRealDirectory(file);
  }
}

/** The path with the links of its directory resolved. */
export function withRealDirectory(file: string): string {
  const directory = path.dirname(file);
  return directory === file ? file : path.join(realPlace(directory), path.basename(file));
}

/** Whether a file that is opened with these flags, as text or as a number, may be changed. */
function writesWith(flags: unknown): boolean {
  if (typeof flags === "string") return flags !== "r" && flags !== "rs" && flags !== "sr";
  const { O_WRONLY, O_RDWR, O_CREAT, O_TRUNC } = fs.constants;
  return typeof flags === "number" && (flags & (O_WRONLY | O_RDWR | O_CREAT | O_TRUNC)) !== 0;
}
