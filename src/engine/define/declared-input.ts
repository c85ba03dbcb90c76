/** What a task says that it reads: one file, or all that patterns match. It looks at no file. */
import type { Shell } from "../../host/index.ts";
import type { Parameter } from "./parameter.ts";

/** One named file; the path is relative to the workspace, or the value of a parameter. */
interface FileInput {
  readonly kind: "file";
  readonly path: string | Parameter<string>;
  readonly optional: boolean;
  /** The part of the text that counts; without it the whole file does. */
  readonly select?: SelectPart;
  /** The task may rewrite it: the stamp then names what it was left as, so that the next run finds it fresh. */
  readonly mutable: boolean;
  /** A change is shown line by line, as that of a selected part always is. */
  readonly byLine: boolean;
}

/** Picks the part of a file's text that counts; `value` gives the task's parameters. */
type SelectPart = (text: string, value: <T>(parameter: Parameter<T>) => T, about: SelectContext) => string;

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
  /** Whether links are followed, or only their targets' names count. */
  readonly links: "follow" | "keep";
  /** Makes the directory's content once, when nothing matches; from then on the files are the user's. */
  readonly generate?: GeneratedOnce;
}

/** How an absent input is made. */
export interface GeneratedOnce {
  /** Host tools that `make` runs. */
  readonly tools: readonly string[];
  readonly make: (context: GenerateContext) => Promise<void>;
}

export interface GenerateContext {
  /** Absolute, and empty: what is made goes here. */
  readonly directory: string;
  readonly $: Shell;
}

export type Input = FileInput | FilesInput;

interface FileOptions {
  /** It may be absent; its path is given to the task all the same. */
  readonly optional?: boolean;
  readonly select?: SelectPart;
  readonly mutable?: boolean;
  readonly byLine?: boolean;
}

/** A file that must exist (unless `optional`). */
export function file(path: string | Parameter<string>, options: FileOptions = {}): FileInput {
  const { optional = false, mutable = false, select, byLine = select !== undefined } = options;
  return { kind: "file", path, optional, mutable, byLine, ...(select === undefined ? {} : { select }) };
}

interface FilesOptions {
  /** Directory that the patterns are relative to; default: the workspace. */
  readonly root?: string | Parameter<string>;
  readonly ignore?: readonly string[];
  /** Without it, patterns that match nothing are an error. */
  readonly optional?: boolean;
  /**
   * What a link that a pattern matches means: with `follow`, which is the default, also the file that it leads to, or all
   * files in that directory; with `keep` only where it points, for links that are copied and never read through.
   */
  readonly links?: "follow" | "keep";
  readonly generate?: GeneratedOnce;
}

/** All files and links that one of the patterns matches, dot files included. */
export function files(patterns: string | readonly string[], options: FilesOptions = {}): FilesInput {
  const base: FilesInput = {
    kind: "files",
    root: options.root ?? ".",
    patterns: typeof patterns === "string" ? [patterns] : patterns,
    ignore: options.ignore ?? [],
    optional: options.optional ?? false,
    links: options.links ?? "follow",
  };
  return options.generate === undefined ? base : { ...base, generate: options.generate };
}

/** Name, among a task's inputs, of the env file at a path. */
export function envInputName(path: string): string {
  return `env file ${path}`;
}

export type Inputs = Readonly<Record<string, Input>>;
