/**
 * Colours and units for the terminal. Colours are on only where somebody sees them: NO_COLOR, FORCE_COLOR,
 * TERM=dumb and pipes are respected.
 */
export interface Style {
  readonly bold: (text: string) => string;
  readonly dim: (text: string) => string;
  readonly red: (text: string) => string;
  readonly green: (text: string) => string;
  readonly yellow: (text: string) => string;
  readonly cyan: (text: string) => string;
}

const plain = (text: string): string => text;
const sgr =
  (open: number, close: number) =>
  (text: string): string =>
    `\u001b[${open}m${text}\u001b[${close}m`;

export const plainStyle: Style = {
  bold: plain,
  dim: plain,
  red: plain,
  green: plain,
  yellow: plain,
  cyan: plain,
};

export const colourStyle: Style = {
  bold: sgr(1, 22),
  dim: sgr(2, 22),
  red: sgr(31, 39),
  green: sgr(32, 39),
  yellow: sgr(33, 39),
  cyan: sgr(36, 39),
};

export function styleFor(stream: { readonly isTTY?: boolean }, env: NodeJS.ProcessEnv): Style {
  if (env.FORCE_COLOR !== undefined && env.FORCE_COLOR !== "0") return colourStyle;
  if (env.NO_COLOR !== undefined && env.NO_COLOR !== "") return plainStyle;
  return stream.isTTY === true && env.TERM !== "dumb" ? colourStyle : plainStyle;
}

export function hasColours(style: Style): boolean {
  return style !== plainStyle;
}

/** `52.3 MB`: decimal units, as disks and downloads are sold and shown. */
export function formatBytes(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}

/** `0.08 s`, `12.3 s`, `2 min 5 s`. */
export function formatSeconds(seconds: number): string {
  if (seconds < 10) return `${seconds.toFixed(2)} s`;
  if (seconds < 99.5) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)} min ${whole % 60} s`;
}

/** Cuts a text to a number of columns, ending in `…` where something was lost. */
export function truncate(text: string, columns: number): string {
  return text.length <= columns ? text : `${text.slice(0, Math.max(0, columns - 1))}…`;
}

/** `1 directory`, `2 directories`. */
export function counted(count: number, noun: string): string {
  if (count === 1) return `1 ${noun}`;
  return /[^aeiou]y$/.test(noun) ? `${count} ${noun.slice(0, -1)}ies` : `${count} ${noun}s`;
}

const namesShown = 3;

/** The first few names, and how many more there are. */
export function someOf(names: readonly string[]): string {
  const shown = names.slice(0, namesShown).join(", ");
  const more = names.length - namesShown;
  return more > 0 ? `${shown} and ${more} more` : shown;
}
