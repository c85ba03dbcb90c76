/**
 * Debian packages: their files and their control data.
 * It knows nothing of repositories or of installing.
 */
import type { Shell } from "../host/index.ts";

export interface DebControl {
  /** Fields of the control file by name, e.g. `Package`, `Depends`; continuation lines joined with "\n". */
  readonly fields: ReadonlyMap<string, string>;
  /** Maintainer scripts that are present: `preinst`, `postinst`, `prerm`, `postrm`. */
  readonly scripts: ReadonlyMap<string, string>;
}

/** Unpacks a package's files into `dir` (both absolute); nothing is run. */
export async function unpackDeb(_$: Shell, _deb: string, _dir: string): Promise<void> {
  throw new Error("not written yet");
}

/** A package's control file and maintainer scripts. */
export async function readDebControl(_$: Shell, _deb: string): Promise<DebControl> {
  throw new Error("not written yet");
}
