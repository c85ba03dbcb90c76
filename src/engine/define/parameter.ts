/**
 * Parameters: values that a user may set for a build, declared once as values that tasks refer to.
 *
 * A parameter knows its name, how it is written on a command line and in the environment, and its default. It does
 * not know the command line itself: the caller of the engine hands over the texts that the user gave.
 */
import { didYouMean, UsageError } from "../../errors/index.ts";
import { Secret } from "./secret.ts";

/** What a computed default may look at. */
export interface ParameterHost {
  /** Absolute path of the workspace. */
  readonly root: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly variant: string;
  /** The value of another parameter; never, directly or not, of the one that is being computed. */
  readonly value: <T>(parameter: Parameter<T>) => T | Promise<T>;
  /** Says something to the user once, e.g. that a documented default is used. */
  readonly note: (message: string) => void;
  /**
   * A default that reads anything but this host declares here how to find every path that its answer came from: as long as
   * their statuses stay the same, so does the answer. Of several calls with one `place`, the first counts.
   */
  readonly dependsOn: (place: string, paths: PathDependencySource) => void;
}

/**
 * What a value was computed from: absolute paths, existing or not, with links followed; `isWhole` says that the list is
 * complete.
 */
export interface PathDependencies {
  readonly paths: readonly string[];
  readonly isWhole: boolean;
}

export type PathDependencySource = () => Promise<PathDependencies>;

/** What checking a given value may look at. */
export type ParseHost = Pick<ParameterHost, "root" | "note" | "dependsOn">;

/** What values are computed with. */
export interface ValuesHost extends Omit<ParameterHost, "value" | "dependsOn"> {
  /** Where a value was given, by parameter name: `--source-date-epoch`, `my.conf:3`, or the name of a variable. */
  readonly origins?: ReadonlyMap<string, { readonly where?: string }>;
}

interface ParameterOptions<T> {
  /** Long name without dashes: `builtin-list`. Also the name in messages and in `why`. */
  readonly name: string;
  readonly description: string;
  /** One letter for the command line. */
  readonly short?: string;
  /** Other long names. */
  readonly aliases?: readonly string[];
  /** Name of the environment variable and of the key in a configuration file. */
  readonly env?: string;
  /** How the value is called in help: `FILE`, `URL`. Without it the parameter is a switch. */
  readonly value?: string;
  /** Of a path: a directory in which a relative path of a configuration file is looked for, too. */
  readonly lookIn?: Pick<Parameter<string>, "name">;
  /** False for what changes how a task works and not what it makes: it is in no fingerprint. */
  readonly fingerprinted?: boolean;
  /** The value as it may be written down and shown, where a part of it may not: a URL without its password. */
  recorded?(value: T): unknown;
  /** Host tools that the computed default runs where they are installed. */
  readonly tools?: readonly string[];
  readonly default: T | ((host: ParameterHost) => T | Promise<T>);
  /** Checks what the user wrote; throws a `UsageError` that says what is expected. */
  readonly parse?: (text: string, host: ParseHost) => T;
  /** Throws a `UsageError` where the parameter must not be given for this variant, whatever its value. */
  readonly check?: (variant: string) => void;
}

export interface Parameter<T> extends ParameterOptions<T> {
  readonly kind: "text" | "path" | "secret" | "switch" | "choice" | "list" | "arguments" | "derived";
  /** For a choice: the values that completion offers; others are accepted when `open`. */
  readonly choices?: readonly string[];
  /** For an open choice: more values to offer, from files of the project in the directory `root` (absolute). It never throws. */
  readonly choicesIn?: (root: string) => readonly string[];
}

export const param = {
  text(options: ParameterOptions<string>): Parameter<string> {
    return { ...options, kind: "text" };
  },
  /** A value that follows from other parameters: there is no option for it, and nobody gives it. */
  derived<T>(options: Pick<ParameterOptions<T>, "name" | "description" | "default">): Parameter<T> {
    return { ...options, kind: "derived" };
  },
  /** A file or directory: what the user gives is relative to where the command was given, a default to the workspace. */
  path(options: ParameterOptions<string>): Parameter<string> {
    return { ...options, kind: "path" };
  },
  /** A text that may be absent. */
  optional(options: Omit<ParameterOptions<string | undefined>, "default">): Parameter<string | undefined> {
    return { ...options, kind: "text", default: undefined };
  },
  /** One of `choices`; with `open`, anything else that `parse` lets through too. */
  choice(
    options: ParameterOptions<string> &
      Pick<Parameter<string>, "choicesIn"> & { readonly choices: readonly string[]; readonly open?: boolean },
  ): Parameter<string> {
    const parse = (text: string, host: ParseHost): string => {
      if (!options.open && !options.choices.includes(text)) {
        throw new UsageError(
          `--${options.name} is "${text}", but must be one of: ${options.choices.join(", ")}`,
          {
            code: "parameter-choice",
            hint: didYouMean(text, options.choices) ?? "use one of these",
          },
        );
      }
      return options.parse?.(text, host) ?? text;
    };
    return { ...options, kind: "choice", parse };
  },
  /**
   * Several texts. The option may be repeated; each text of it, and the text in the environment or a configuration file, is
   * split at commas and line breaks. Blanks around an element are dropped, and so are empty elements.
   */
  list(
    options: Omit<ParameterOptions<readonly string[]>, "parse"> & {
      /** Checks one element; throws a `UsageError` that says what is expected. */
      readonly accept?: (element: string) => void;
    },
  ): Parameter<readonly string[]> {
    const parse = (text: string): readonly string[] => {
      const elements = text
        .split(/[,\n]/)
        .map((element) => element.trim())
        .filter((element) => element !== "");
      for (const element of elements) options.accept?.(element);
      return elements;
    };
    return { ...options, kind: "list", parse };
  },
  /**
   * The words after `--` on the command line. Only the targets that the command line names get them; a task that runs because
   * another one needs it gets none.
   */
  arguments(options: Pick<ParameterOptions<readonly string[]>, "description">): Parameter<readonly string[]> {
    return {
      ...options,
      name: argumentsName,
      kind: "arguments",
      default: [],
      parse: (text) => JSON.parse(text) as readonly string[],
    };
  },
  /** On or off. */
  switch(options: Omit<ParameterOptions<boolean>, "value" | "parse">): Parameter<boolean> {
    return { ...options, kind: "switch", parse: (text) => text !== "" && text !== "0" && text !== "false" };
  },
  /** A value that no log, stamp, fingerprint or message ever shows. */
  secret(
    options: Omit<ParameterOptions<Secret | undefined>, "parse"> & {
      readonly accept?: (text: string) => void;
    },
  ): Parameter<Secret | undefined> {
    return {
      ...options,
      kind: "secret",
      parse: (text) => {
        options.accept?.(text);
        return new Secret(text);
      },
    };
  },
} as const;

/** Name of the parameter that holds the words after `--`, given as a JSON array of strings. */
export const argumentsName = "--";

/** A task's parameters, by the name it has for each. */
export type Params = Readonly<Record<string, Parameter<unknown>>>;

/** Their values, by the same names. */
export type ParamValues<P extends Params> = {
  readonly [K in keyof P]: P[K] extends Parameter<infer T> ? T : never;
};
