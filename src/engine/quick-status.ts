/** The status of a file in a form that is compared at once: one call below Node's public functions, where that is safe. */
import { lstatSync } from "node:fs";

/** A file's status as far as changes are told by it. */
export interface QuickStatus {
  /** `size:mtime:ctime:inode:mode`, times in nanoseconds since the epoch. */
  readonly signature: string;
  readonly mode: number;
  /** Bytes. */
  readonly size: number;
}

/** Gives undefined where nothing is, and where the public functions have to be asked. */
export type QuickLook = (path: string) => QuickStatus | undefined;

/** Versions of Node in which the binding below is known to answer as the public function does. */
const knownMajors = [20, 22, 24, 26];

type Binding = (path: string, bigint: false, request: undefined, throws: false) => Float64Array | undefined;

/**
 * A look without following links. `lstatSync` makes four dates and some forty fields in BigInt of each status; of thousands
 * of unchanged files only one text is compared. The call below it is deprecated (DEP0111), so it is used only where Node is
 * known, does not warn about it, and gives the public answer for `sample`, the absolute path of a file.
 */
export function quickLook(sample: string): QuickLook {
  const unknown: QuickLook = () => undefined;
  if (!knownMajors.includes(Number.parseInt(process.versions.node, 10)) || warnsOfBindings()) return unknown;
  try {
    const { lstat } = (process as unknown as { binding(name: string): { lstat: Binding } }).binding("fs");
    const look: QuickLook = (path) => {
      try {
        return statusIn(lstat(path, false, undefined, false));
      } catch {
        return undefined;
      }
    };
    const wanted = lstatSync(sample, { bigint: true });
    const { size, mtimeNs, ctimeNs, ino, mode } = wanted;
    return look(sample)?.signature === `${size}:${mtimeNs}:${ctimeNs}:${ino}:${mode}` ? look : unknown;
  } catch {
    // Node's permission model has no bindings.
    return unknown;
  }
}

/** The fields as the binding orders them: 1 mode, 7 inode, 8 size, 12 to 15 mtime and ctime in seconds and nanoseconds. */
function statusIn(fields: Float64Array | undefined): QuickStatus | undefined {
  if (fields === undefined) return undefined;
  const [mode = 0, ino = 0, size = 0] = [fields[1], fields[7], fields[8]];
  const mtime = timeOf(fields[12], fields[13]);
  const ctime = timeOf(fields[14], fields[15]);
  // Numbers beyond these are not exact.
  if (ino > Number.MAX_SAFE_INTEGER || size > Number.MAX_SAFE_INTEGER || !mtime || !ctime) return undefined;
  return { signature: `${size}:${mtime}:${ctime}:${ino}:${mode}`, mode, size };
}

/** Nanoseconds since the epoch as a text; undefined for times before its first second is over. */
function timeOf(seconds = 0, nanoseconds = 0): string | undefined {
  if (!(seconds > 0)) return undefined;
  const digits = String(nanoseconds);
  return `${seconds}${"000000000".slice(digits.length)}${digits}`;
}

/** Whether Node was asked to warn about what is to be deprecated. */
function warnsOfBindings(): boolean {
  const { NODE_OPTIONS = "", NODE_PENDING_DEPRECATION } = process.env;
  const asked = [...process.execArgv, NODE_OPTIONS].some((options) =>
    options.includes("pending-deprecation"),
  );
  return asked || NODE_PENDING_DEPRECATION === "1";
}
