/** Where the value of an option may stand. What wins over what it does not know. */

export interface ValueSources {
  /** What the command line says for a long flag. */
  readonly flag: (long: string) => unknown;
  readonly config: ReadonlyMap<string, string>;
  readonly env: NodeJS.ProcessEnv;
}
