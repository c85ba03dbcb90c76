/**
 * What a Taskfile says: which targets there are, the variants, the aliases, the limits. Nothing of how they run.
 */
import type { Check } from "./check.ts";
import type { Command, Target } from "./command.ts";
import type { Task } from "./declared-task.ts";
import type { Parameter } from "./parameter.ts";

export interface Variant {
  readonly description: string;
  /** Command-line switches that choose it, e.g. `-p`, `--build-prod-image`, `--prod`. */
  readonly flags: readonly string[];
}

/** A command line worth showing. */
export interface Example {
  /** Without the program's name: `iso --prod`. */
  readonly command: string;
  readonly does: string;
}

/** One of several kinds of product that a Taskfile makes; a project may keep to one of them. */
export interface Flavour {
  readonly description: string;
  /** The targets that no other flavour has. */
  readonly steps: readonly Target[];
  /** Other names of targets in a project of this flavour. */
  readonly aliases: Readonly<Record<string, Target>>;
}

/** What a new project begins with. */
export interface ProjectTemplate {
  readonly description: string;
  /** The flavour that the project keeps to; without it, the project has all targets. */
  readonly flavour?: string;
  /** The name of the source that is made on the user's machine, to try the project with; default: `sample`. */
  readonly sample?: string;
  /** Files and directories: the path in the project → the path in the package, each relative to its root. */
  readonly contents: Readonly<Record<string, string>>;
}

interface TaskfileDefinition {
  /** Shown above the menu. */
  readonly title: string;
  readonly targets: readonly Target[];
  /** The first one is the default. */
  readonly variants: Readonly<Record<string, Variant>>;
  /** Environment variable and configuration key that names the variant. */
  readonly variantEnv?: string;
  /**
   * Who asks for the first by its name gets the second too, which needs it and which most builds do not want; where a
   * parameter stands with them, only when it is on.
   */
  readonly alsoBuilds?: readonly (readonly [asked: Task, brings: Task, wanted?: Parameter<boolean>])[];
  /** The project's own defaults: said of them on the command line, in a file or in the environment, another value wins. */
  readonly defaults?: {
    readonly variant?: string;
    /** The same as the option `source`. */
    readonly source?: string;
    /** By the option's name without dashes; a path is relative to the workspace. */
    readonly options?: Readonly<Record<string, string | boolean | readonly string[]>>;
  };
  /** Other names of targets. */
  readonly aliases?: Readonly<Record<string, Target>>;
  /** Shown in the menu as the version that a build would get now. */
  readonly version?: Parameter<string>;
  /** Shown first in help; the help of a target shows those that begin with its name. */
  readonly examples?: readonly Example[];
  readonly flavours?: Readonly<Record<string, Flavour>>;
  /** What a new project may begin with, by name; the first one is the default. */
  readonly templates?: Readonly<Record<string, ProjectTemplate>>;
  /** Other grammars that the file of `--config` may have. */
  readonly configFormats?: readonly ConfigFormat[];
  /** What `doctor` looks at beside the machine itself. */
  readonly checks?: readonly Check[];
  /** Writes the report of a build, which `--report` asks for. */
  readonly report?: Command;
  readonly cache?: {
    /** Bytes that the store may take before the least recently used content goes; default 5 GiB. */
    readonly maxSize?: number;
    /** Where results are shared with other machines. */
    readonly remote?: {
      /** http or https URL of a server that speaks the Bazel HTTP cache protocol. */
      readonly url: string;
      /** Whether results are written, too: only for machines whose results all others may rely on. Default: false. */
      readonly upload?: boolean;
      /** A path segment below the URL, so that for example a branch has results of its own. */
      readonly instance?: string;
    };
  };
  /** Axes that `task matrix` builds over unless the command line names others: the values by option, or of `variant`. */
  readonly matrix?: Readonly<Record<string, readonly string[]>>;
  /** Where tasks run; the command line and the environment win over it. */
  readonly executor?: {
    /** `local` or `slurm`. */
    readonly use: string;
    /** Jobs in flight at most. */
    readonly jobs?: number;
    /** Further options of the scheduler's command: `--partition=build`. */
    readonly options?: readonly string[];
  };
  readonly output?: {
    /** Bytes that are kept of what a task prints, half of them from its beginning and half from its end; default 8 MiB. */
    readonly maxSize?: number;
  };
  /** Width of each pool; `cpu` is as wide as the machine unless said. */
  readonly pools?: Readonly<Record<string, number>>;
  /** Tasks that take the place of a target when the user gives a parameter. */
  readonly replacements?: readonly {
    readonly of: Task;
    readonly given: Pick<Parameter<unknown>, "name">;
    readonly use: Task;
  }[];
  /** Options, and variables with their meaning, that are accepted and answered with one line, for users of what this replaces. */
  readonly deprecated?: readonly {
    readonly flags: string;
    readonly env?: string;
    readonly answer: string;
  }[];
}

/** A grammar of configuration files that a task reads: such a file sets one variable, to its own path. */
export interface ConfigFormat {
  readonly matches: (text: string) => boolean;
  /** The variable of a path parameter. */
  readonly variable: string;
}

export interface Taskfile extends TaskfileDefinition {
  readonly kind: "taskfile";
}

export function taskfile(definition: TaskfileDefinition): Taskfile {
  return { kind: "taskfile", ...definition };
}
