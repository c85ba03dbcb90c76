/** Where the value of an option may stand. */

export interface ValueSources {
  /** What the command line says for a long flag. */
  readonly flag: (long: string) => unknown;
  readonly config: ReadonlyMap<string, string>;
  /** Where each key of the configuration file stands: `my.conf:3`. */
  readonly places: ReadonlyMap<string, string>;
  /** The directory of the configuration file; absolute. */
  readonly configDirectory: string | undefined;
  /** Without the variables that the configuration file unsets. */
  readonly env: NodeJS.ProcessEnv;
  /** What the Taskfile says, by the option's name without dashes. */
  readonly defaults: ReadonlyMap<string, string>;
}

/** Who said what an option's value is. */
export interface ValueOrigin {
  readonly from: "command line" | "file" | "environment" | "Taskfile" | "built in";
  /** `--source`, `my.conf:3`, the variable's name, or `Taskfile.ts`; none for a built-in default. */
  readonly where?: string;
}
