/**
 * The nouns a Taskfile is written in: tasks, what they read, what they make, what they need.
 *
 * Tasks are values and needs are references to them, so a typo is a type error. Nothing here runs anything.
 */
import type { Shell } from "../host/index.ts";
import type { Joined, Piece } from "./joiner.ts";
import type { Memo } from "./memo.ts";
import type { Parameter } from "./parameter.ts";
import type { Share } from "./shared.ts";

/** One named file; the path is relative to the workspace, or the value of a parameter. */
export interface FileInput {
  readonly kind: "file";
  readonly path: string | Parameter<string>;
  readonly optional: boolean;
  /** The part of the text that counts; without it the whole file does. */
  readonly select?: SelectPart;
  /** The task may rewrite it: the stamp then names what it was left as, so that the next run finds it fresh. */
  readonly revised: boolean;
  /** A change is told line by line, as that of a selected part always is. */
  readonly byLine: boolean;
}

/** Picks the part of a file's text that counts; `value` gives the task's parameters. */
export type SelectPart = (
  text: string,
  value: <T>(parameter: Parameter<T>) => T,
  about: SelectContext,
) => string;

export interface SelectContext {
  /** Undefined where all variants share the result. */
  readonly variant: string | undefined;
  /** The text of another input of the task, by its path as in `file`; undefined when it cannot be read. */
  readonly read: (path: string) => string | undefined;
}

/** Every file that the patterns match; patterns are fast-glob's, relative to `root`. */
export interface FilesInput {
  readonly kind: "files";
  readonly root: string | Parameter<string>;
  readonly patterns: readonly string[];
  readonly ignore: readonly string[];
  readonly optional: boolean;
  /** Makes the directory's content once, when nothing matches; from then on the files are the user's. */
  readonly seed?: Seed;
}

/** How an absent input is made. */
export interface Seed {
  /** Host tools that `make` runs. */
  readonly tools: readonly string[];
  readonly make: (context: SeedContext) => Promise<void>;
}

export interface SeedContext {
  /** Absolute, and empty: what is made goes here. */
  readonly directory: string;
  readonly $: Shell;
}

export type Input = FileInput | FilesInput;

export interface FileOptions {
  /** It may be absent; its path is given to the task all the same. */
  readonly optional?: boolean;
  readonly select?: SelectPart;
  readonly revised?: boolean;
  readonly byLine?: boolean;
}

/** A file that must exist (unless `optional`). */
export function file(path: string | Parameter<string>, options: FileOptions = {}): FileInput {
  const { optional = false, revised = false, select, byLine = select !== undefined } = options;
  return { kind: "file", path, optional, revised, byLine, ...(select === undefined ? {} : { select }) };
}

export interface FilesOptions {
  /** Folder that the patterns are relative to; default: the workspace. */
  readonly root?: string | Parameter<string>;
  readonly ignore?: readonly string[];
  /** Without it, patterns that match nothing are an error. */
  readonly optional?: boolean;
  readonly seed?: Seed;
}

/** All files and links that one of the patterns matches, dot files included. */
export function files(patterns: string | readonly string[], options: FilesOptions = {}): FilesInput {
  const base: FilesInput = {
    kind: "files",
    root: options.root ?? ".",
    patterns: typeof patterns === "string" ? [patterns] : patterns,
    ignore: options.ignore ?? [],
    optional: options.optional ?? false,
  };
  return options.seed === undefined ? base : { ...base, seed: options.seed };
}

/** What an output path may depend on. */
export interface OutputFacts {
  readonly variant: string;
  /** The value of a parameter that the task declares. */
  readonly value: <T>(parameter: Parameter<T>) => T;
}

export interface Output {
  readonly kind: "file" | "directory";
  /** In the task's own folder of the cache, or relative to the workspace for an artefact. */
  readonly place: "cache" | "workspace";
  readonly path: string | ((facts: OutputFacts) => string);
}

export const out = {
  /** A file in the task's own folder of the cache. */
  file(name: string): Output {
    return { kind: "file", place: "cache", path: name };
  },
  /** A folder in the task's own folder of the cache, owned whole: what a run did not write is removed. */
  directory(name: string): Output {
    return { kind: "directory", place: "cache", path: name };
  },
  /** A folder that the user came for, owned whole; the path is relative to the workspace. */
  artifactFolder(path: string | ((facts: OutputFacts) => string)): Output {
    return { kind: "directory", place: "workspace", path };
  },
  /** A file that the user came for; the path is relative to the workspace. */
  artifact(path: string | ((facts: OutputFacts) => string)): Output {
    return { kind: "file", place: "workspace", path };
  },
} as const;

/** A task that is needed in some builds only. */
export interface ConditionalNeed<T extends Task = Task> {
  readonly kind: "conditional";
  readonly task: T;
  readonly condition:
    | { readonly kind: "parameter"; readonly parameter: Parameter<string>; readonly equals: string }
    | { readonly kind: "variant"; readonly variants: readonly string[] }
    | {
        readonly kind: "text";
        readonly files: readonly (string | Parameter<string>)[];
        readonly says: TestText;
      };
}

/** Needed when the parameter has this value. */
export function when<T extends Task>(
  parameter: Parameter<string>,
  equals: string,
  needed: T,
): ConditionalNeed<T> {
  return { kind: "conditional", task: needed, condition: { kind: "parameter", parameter, equals } };
}

/** Needed in these variants; only for a task that is made for each variant. */
export function inVariants<T extends Task>(variants: readonly string[], needed: T): ConditionalNeed<T> {
  return { kind: "conditional", task: needed, condition: { kind: "variant", variants } };
}

/** Whether a text says that a task is needed. */
export type TestText = (text: string) => boolean;

/** Needed when one of these text files says so; a file that is missing says nothing. Paths as in `file`. */
export function whenText<T extends Task>(
  files: readonly (string | Parameter<string>)[],
  says: TestText,
  needed: T,
): ConditionalNeed<T> {
  return { kind: "conditional", task: needed, condition: { kind: "text", files, says } };
}

/** A task of whose outputs only some are needed: when others of them change, nothing runs again. */
export interface PartialNeed<T extends Task = Task, S extends string = string> {
  readonly kind: "partial";
  readonly task: T;
  readonly slots: readonly S[];
}

/** Needs these outputs of the task, and no others. */
export function only<T extends Task, const S extends keyof T["outputs"] & string>(
  needed: T,
  ...slots: readonly S[]
): PartialNeed<T, S> {
  return { kind: "partial", task: needed, slots };
}

export type Need = Task | ConditionalNeed | PartialNeed;

type Needs = Readonly<Record<string, Need>>;
type Inputs = Readonly<Record<string, Input>>;
type Params = Readonly<Record<string, Parameter<unknown>>>;
type Outputs = Readonly<Record<string, Output>>;

/** Absolute paths of a task's outputs, by slot. */
export type OutputPaths<O extends Outputs> = { readonly [K in keyof O]: string };

export type NeedPaths<N> =
  N extends ConditionalNeed<infer T>
    ? NeedPaths<T> | undefined
    : N extends PartialNeed<Task<infer O>, infer S>
      ? { readonly [K in S & keyof O]: string }
      : N extends Task<infer O>
        ? OutputPaths<O>
        : never;

/** The files of an input: absolute folder, and paths relative to it in byte order. */
export interface FileSet {
  readonly root: string;
  readonly paths: readonly string[];
}

/** What a running task is given; everything else would be an undeclared input. */
export interface TaskContext<N extends Needs, I extends Inputs, P extends Params, O extends Outputs> {
  readonly needs: { readonly [K in keyof N]: NeedPaths<N[K]> };
  /** Absolute path of a `file` (undefined when optional and absent), the set of `files`. */
  readonly inputs: { readonly [K in keyof I]: I[K] extends FilesInput ? FileSet : string };
  readonly params: { readonly [K in keyof P]: P[K] extends Parameter<infer T> ? T : never };
  /** Absolute paths to write to: a file's does not exist yet, a directory's does and is empty. */
  readonly outputs: OutputPaths<O>;
  readonly variant: string;
  /** Runs the declared tools; each command in its own process group, output captured. */
  readonly $: Shell;
  /** Which of the optional tools are not installed. */
  readonly missingTools: readonly string[];
  /** A line for the task's log, shown with `--verbose` and when the task fails. */
  readonly log: (message: string) => void;
  /** A line for the user, whatever the verbosity: warnings and facts that matter. */
  readonly note: (message: string) => void;
  /** Says how far a long piece of work has come. */
  readonly progress: (progress: Progress) => void;
  readonly signal: AbortSignal;
  /** The variables named in `env` and `passEnv`, where they are set. */
  readonly env: Readonly<Record<string, string>>;
  /**
   * Writes pieces one behind the other to `target`, an absolute path of an output or in the scratch folder, in one pass.
   * An output that is written so is neither read again nor kept twice.
   */
  readonly join: (target: string, pieces: readonly Piece[]) => Promise<Joined>;
  /**
   * Has `make` write a file, unless that was done before for the same key (all that it depends on, beside the task's code and
   * tools), in whatever build; the path of the file, which is one of the scratch folder.
   */
  readonly memo: Memo;
  /** The sha256, in hex, of pieces one behind the other, computed beside whatever else goes on. */
  readonly digest: (pieces: readonly Piece[]) => Promise<string>;
  /** An empty folder for intermediate files, removed afterwards. */
  readonly scratch: string;
  /** Content that outlives results and is named by its digest: downloads. */
  readonly blobs: BlobAccess;
  /** What all tasks of this build use together. */
  readonly share: Share;
}

/** What of a task's context there is before its needs are done. */
export type HeadStartContext<I extends Inputs, P extends Params> = Omit<
  TaskContext<Record<never, never>, I, P, Record<never, never>>,
  "needs" | "outputs" | "$" | "log" | "join" | "digest"
>;

export interface Progress {
  /** What is being worked on: `bash.tcz`. */
  readonly item: string;
  /** Done and in all, in `unit`; `total` is undefined while unknown. */
  readonly done: number;
  readonly total?: number;
  readonly unit: "bytes" | "items";
}

/** The content store, as far as a task may use it. */
export interface BlobAccess {
  has(sha256: string): boolean;
  /** Absolute path of a blob; read it, never write to it. */
  pathOf(sha256: string): string;
  /**
   * Copies a blob to an absolute path that does not exist, mode 0644, and checks it: one that is damaged is removed, and
   * a `UserError`.
   */
  copyOut(sha256: string, target: string): Promise<void>;
  /** Moves a file into the store; its content must have that digest. */
  adopt(path: string, sha256: string): Promise<void>;
}

export interface TaskDefinition<N extends Needs, I extends Inputs, P extends Params, O extends Outputs> {
  readonly name: string;
  /** One line for the menu. */
  readonly description: string;
  readonly needs?: N;
  readonly inputs?: I;
  readonly params?: P;
  /** Names of host tools; each is looked up in PATH and its binary's digest is part of the fingerprint. */
  readonly tools?: readonly string[];
  /** Tools that the task can do without: whether each is installed is part of the fingerprint, as its digest is. */
  readonly optionalTools?: readonly string[];
  /** Names of environment variables that commands may see; their values are part of the fingerprint. */
  readonly env?: readonly string[];
  /** Variables that change how a task works and not what it makes, such as proxies: passed on, not fingerprinted. */
  readonly passEnv?: readonly string[];
  readonly outputs: O;
  /** A pool with a width of its own, e.g. `network`. */
  readonly pool?: string;
  /** `shared`: the result does not depend on the variant, so that all variants use one. */
  readonly variants?: "each" | "shared";
  /** Not in the menu: a step that nobody asks for by name. */
  readonly internal?: boolean;
  /**
   * What may begin while the needs still run: it makes nothing, and only spares `run` some time. Called once a build at
   * most, when a need has to run; `run` waits for its end, and meets again whatever fails here.
   */
  readonly headStart?: (context: HeadStartContext<I, P>) => Promise<void>;
  readonly run: (context: TaskContext<N, I, P, O>) => Promise<void> | void;
}

/** A task, as the engine sees it: the types of its context are known to the definition only. */
export interface Task<O extends Outputs = Outputs> {
  readonly kind: "task";
  readonly name: string;
  readonly description: string;
  readonly needs: Needs;
  readonly inputs: Inputs;
  readonly params: Params;
  readonly tools: readonly string[];
  readonly optionalTools: readonly string[];
  readonly env: readonly string[];
  readonly passEnv: readonly string[];
  readonly outputs: O;
  readonly pool: string;
  readonly variants: "each" | "shared";
  readonly internal: boolean;
  readonly headStart: ((context: AnyHeadStartContext) => Promise<void>) | undefined;
  readonly run: (context: AnyTaskContext) => Promise<void> | void;
  /** Where it was defined: the stack frames of the call, innermost first. */
  readonly definedAt: readonly SourceLocation[];
}

export type AnyTaskContext = TaskContext<Needs, Inputs, Params, Outputs>;
export type AnyHeadStartContext = HeadStartContext<Inputs, Params>;

/** A place in loaded code: URL or path of the module as Node loaded it, line and column from 1. */
export interface SourceLocation {
  readonly module: string;
  readonly line: number;
  readonly column: number;
  /** Name of the function that holds the place; none at a module's own level. */
  readonly function?: string;
}

/** Defines a step that turns inputs into outputs. */
export function task<
  const N extends Needs = Record<never, never>,
  const I extends Inputs = Record<never, never>,
  const P extends Params = Record<never, never>,
  const O extends Outputs = Record<never, never>,
>(definition: TaskDefinition<N, I, P, O>): Task<O> {
  return {
    kind: "task",
    name: definition.name,
    description: definition.description,
    needs: definition.needs ?? {},
    inputs: definition.inputs ?? {},
    params: definition.params ?? {},
    tools: definition.tools ?? [],
    optionalTools: definition.optionalTools ?? [],
    env: definition.env ?? [],
    passEnv: definition.passEnv ?? [],
    outputs: definition.outputs,
    pool: definition.pool ?? "cpu",
    variants: definition.variants ?? "each",
    internal: definition.internal ?? false,
    // The one place where the types of a definition are let go of: the runner builds the context from the same
    // definition, so what it passes has the types that `run` was checked against.
    headStart: definition.headStart as unknown as Task["headStart"],
    run: definition.run as unknown as Task["run"],
    definedAt: callers(task),
  };
}

/** A target that is done for its effect, has no outputs and always runs. */
export interface Command<P extends Params = Params> {
  readonly kind: "command";
  readonly name: string;
  readonly description: string;
  readonly params: P;
  /** What the words behind its name are: `[NAME...]`. Without it such words are other targets. */
  readonly takes?: string;
  /** What completion offers for them. */
  readonly offers?: "files" | "folders";
  /** Exit status when it fails, for a command whose status 1 says something else, as that of diff(1). */
  readonly failureStatus?: number;
  /** Returns the exit status where it is not 0. */
  readonly run: CommandRun;
  readonly definedAt: readonly SourceLocation[];
}

type CommandRun =
  | ((context: CommandContext) => Promise<void> | void)
  | ((context: CommandContext) => Promise<number>);

export interface CommandContext {
  /** The words behind the command's name. */
  readonly words: readonly string[];
  readonly value: <T>(parameter: Parameter<T>) => Promise<T>;
  readonly variant: string;
  /** Prints a line of the command's result to standard output. */
  readonly print: (line: string) => void;
  /** Prints the whole result: the lines, or with --json the value as one document. */
  readonly show: (value: unknown, lines: readonly string[]) => void;
  /** Removes every artefact and output of the graph's tasks, or with `all` the whole cache; returns what went. */
  readonly removeProducts: (options: { readonly all: boolean }) => Promise<readonly string[]>;
  /** Absolute path of the workspace. */
  readonly workspace: string;
  /** Absolute path of the folder in which the command was given. */
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
  /** A line for the user on standard error: warnings and facts that matter. */
  readonly note: (message: string) => void;
  /** Brings a task up to date, and returns the absolute paths of its outputs. */
  readonly build: <O extends Outputs>(task: Task<O>) => Promise<OutputPaths<O>>;
  /** Does work while no build runs in this workspace; never to be used within itself or around `build`. */
  readonly alone: <T>(work: (bench: Workbench) => Promise<T>) => Promise<T>;
}

/** What a command has while it works alone. */
export interface Workbench {
  readonly share: Share;
  /** An empty folder, removed afterwards. */
  readonly scratch: string;
  readonly blobs: BlobAccess;
  readonly progress: (progress: Progress) => void;
  /** Runs these tools, in the scratch folder; throws a `UserError` when one is not installed. */
  readonly shell: (tools: readonly string[], env?: Readonly<Record<string, string>>) => Promise<Shell>;
}

export function command<const P extends Params>(definition: {
  readonly name: string;
  readonly description: string;
  readonly params: P;
  readonly takes?: string;
  readonly offers?: "files" | "folders";
  /** Exit status when it fails, for a command whose status 1 says something else, as that of diff(1). */
  readonly failureStatus?: number;
  /** Returns the exit status where it is not 0. */
  readonly run: CommandRun;
}): Command<P> {
  return { kind: "command", ...definition, definedAt: callers(command) };
}

export type Target = Task | Command;

const framesKept = 6;

/** The frames above a function, as positions; needs V8's structured stack, costs some microseconds. */
function callers(above: (...args: never[]) => unknown): readonly SourceLocation[] {
  const { prepareStackTrace, stackTraceLimit } = Error;
  try {
    Error.stackTraceLimit = framesKept;
    Error.prepareStackTrace = (_, frames) => frames;
    const holder: { stack?: unknown } = {};
    Error.captureStackTrace(holder, above);
    const frames = holder.stack as readonly NodeJS.CallSite[];
    return frames.flatMap((frame) => {
      const module = frame.getFileName();
      if (module === null || module === undefined || module.startsWith("node:")) return [];
      const name = frame.getFunctionName();
      return [
        {
          module,
          line: frame.getLineNumber() ?? 1,
          column: frame.getColumnNumber() ?? 1,
          ...(name === null ? {} : { function: name }),
        },
      ];
    });
  } finally {
    Error.prepareStackTrace = prepareStackTrace;
    Error.stackTraceLimit = stackTraceLimit;
  }
}
