/** What a kind of source is: where its files are, and the policy for pins, updates and checks. */
import type { CommandContext, Output, Task } from "../../../src/engine/index.ts";
import type { Mirror } from "../../../src/fetch/index.ts";

export type ExtraName = "rubygems" | "mcollective" | "open-vm-tools";

/** Locations of one source; extras are undefined where it has none. */
export interface SourceLocations {
  readonly mirror: Mirror;
  readonly gems: string;
  readonly extras: Readonly<Record<ExtraName, string | undefined>>;
}

export interface SourceKind {
  /** The value of `--source` that means it and is offered as a choice; undefined for a kind with many names. */
  readonly name: string | undefined;
  /** How the description of `--source` names it. */
  readonly description: string;
  /** Whether a value of `--source` means it; the first kind in `sourceKinds` that matches is taken. */
  readonly matches: (source: string) => boolean;
  /** Whether the sources file must have an entry of the name that `--source` has. */
  readonly isListed: boolean;
  /** The step that makes its mirror; undefined where the mirror is made elsewhere. Such a kind has a `name`. */
  readonly needs: MirrorTask | undefined;
  /** Finds its locations. Throws a `UserError` for a source that is not defined, or not well. */
  readonly open: (request: OpenRequest) => Promise<OpenedLocations>;
  readonly lock: LockPolicy;
  /** The sha256 of every download of this kind that a rebuild needs besides what is pinned. */
  readonly downloads?: (build: CommandContext["build"]) => Promise<readonly string[]>;
  /** Where nothing can be asked upstream: what is printed instead. */
  readonly withoutUpstream: { readonly update: string; readonly doctor: string } | undefined;
}

/** A step with a mirror's directory among its outputs. */
type MirrorTask = Task<{ readonly mirror: Output }>;

/** How a source's pins are used. */
interface LockPolicy {
  /** The lock's path by default, relative to the workspace. */
  readonly file: string;
  /** `binding`: what is fetched must be what is pinned. `recorded`: pins say what was fetched, and no step reads them. */
  readonly pins: "binding" | "recorded";
  /** Whether files have the times that are pinned; without, they are undated. */
  readonly hasTimes: boolean;
}

export interface OpenRequest {
  /** The value of `--source`. */
  readonly name: string;
  /** Absolute path of the directory that the step `needs` made. */
  readonly made: string | undefined;
  /** Absolute path of `lists/sources.yaml`. */
  readonly sourcesFile: string;
  /** A mirror that takes the place of the source's own. */
  readonly mirrorUri: string | undefined;
  readonly offline: boolean;
  /** Values of `--source` to name where this one is unknown. */
  readonly choices: readonly string[];
}

export interface OpenedLocations {
  readonly locations: SourceLocations;
  /** Whether it is on this machine: no proxy could reach it, and nothing in it has to be trusted. */
  readonly isLocal: boolean;
  readonly close: () => Promise<void>;
}
