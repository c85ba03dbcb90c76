/** What the caller's settings are called, for hints: src/fetch knows no options of a command line. */
export interface SettingNames {
  /** The setting that lowers the minimum rate of a download. */
  readonly leastRate?: string;
  /** The setting that raises the number of names in an index. */
  readonly maxIndexNames?: string;
  /** The setting that chooses a source without a mirror. */
  readonly otherSource?: string;
  /** The setting that forbids network connections. */
  readonly offline?: string;
  /** The setting that freezes the lock. */
  readonly frozen?: string;
  /** The command that pins artifacts again; their names follow it. */
  readonly update?: string;
}

/** What to do where the network is needed, but forbidden. */
export function offlineHint({ offline }: SettingNames): string {
  return `run the build once with network access${without(offline)}`;
}

/** `, without SETTING`, or nothing where the setting has no name. */
export function without(setting: string | undefined): string {
  return setting === undefined ? "" : `, without ${setting}`;
}
