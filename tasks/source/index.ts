/**
 * The source of a build: where its mirror, gem server and extras are, what is pinned, and how things are fetched from
 * it. The fetch steps share this; none of them knows which source it is.
 */
import path from "node:path";
import { type BlobAccess, file, type Progress, type Share, type Shareable } from "../../src/engine/index.ts";
import {
  type Artifact,
  blockedArtifacts,
  type Catalogue,
  type Environment,
  type FetchEvent,
  fetchArtifacts,
  type IndexMemory,
  type LockLine,
  mayFetch,
  Network,
  openCatalogue,
  type Policy,
  type SourceLock,
  serveDirectory,
  Transport,
  type TransportLimits,
  type Update,
  updateArtifacts,
  type Wanted,
} from "../../src/fetch/index.ts";
import {
  downloads,
  downloadsPerServer,
  frozen,
  indexLimit,
  leastRate,
  mirrorUri,
  offline,
  proxyVariables,
  settingNames,
  source,
  sourcesFile,
} from "../settings/source-options.ts";
import { inspectArtifact } from "./inspection.ts";
import { readLocations, type SourceLocations, sampleLocations } from "./source-locations.ts";
import { readPins, writePins } from "./source-lock.ts";

/** What every fetch step declares. */
export const sourceParams = {
  source,
  mirrorUri,
  frozen,
  offline,
  downloads,
  downloadsPerServer,
  leastRate,
  indexLimit,
} as const;
export const sourceInputs = { sources: file(sourcesFile, { byLine: true }) } as const;
export const sourceEnv: readonly string[] = proxyVariables;

/** What a fetch step hands over of its own context. */
export interface SourceContext {
  readonly needs: { readonly sample: { readonly mirror: string } | undefined };
  readonly inputs: { readonly sources: string; readonly lock: string };
  readonly params: {
    readonly source: string;
    readonly mirrorUri: string | undefined;
    readonly frozen: boolean;
    readonly offline: boolean;
    /** Decimal numbers. */
    readonly downloads: string;
    readonly downloadsPerServer: string;
    /** Bytes a second. */
    readonly leastRate: string;
    readonly indexLimit: string;
  };
  readonly env: Readonly<Record<string, string>>;
  readonly scratch: string;
  readonly blobs: BlobAccess;
  readonly share: Share;
  readonly signal: AbortSignal;
  readonly progress: (progress: Progress) => void;
  readonly note: (message: string) => void;
}

interface SourceRequest extends Omit<SourceContext, "needs" | "inputs" | "params"> {
  readonly name: string;
  /** Absolute path of `lists/sources.yaml`. */
  readonly sourcesFile: string;
  readonly lockFile: string;
  readonly mirrorUri: string | undefined;
  readonly frozen: boolean;
  readonly offline: boolean;
  /** Absolute path of the sample source's mirror, where that is the source. */
  readonly sampleMirror: string | undefined;
}

export interface Source extends SourceLocations {
  readonly lock: SourceLock;
  readonly policy: Policy;
  readonly transport: Transport;
  readonly catalogue: Catalogue;
  /**
   * Brings artifacts into the store, pins what was not pinned, and returns each one's lock line. `unresolved` is what
   * the plan lacks because the policy forbids to ask: an error names it with whatever else is missing.
   */
  fetch(plan: readonly Artifact[], unresolved?: readonly Wanted[]): Promise<ReadonlyMap<string, LockLine>>;
  /** The artifacts of a plan that are not in the cache and may not be downloaded. */
  blocked(plan: readonly Artifact[]): Promise<readonly Artifact[]>;
  /** Whether the cache has the bytes that a lock line names. */
  has(line: LockLine): boolean;
  /** Whether the policy allows to ask for an artifact that is not here. */
  mayFetch(artifact: Artifact): boolean;
  /** Asks upstream again for what `names` mean in the plan, against the pins in `lock`; writes nothing. */
  update(
    plan: readonly Artifact[],
    names: readonly string[],
    options: { readonly lock: SourceLock; readonly complete: boolean },
  ): Promise<Update>;
  /** Pins lines, and drops those that are undefined. */
  pin(lines: ReadonlyMap<string, LockLine | undefined>): void;
  /** Copies the bytes that a lock line names to a path that does not exist; nothing for an absent file. */
  place(line: LockLine | undefined, target: string): Promise<void>;
}

/** The fetch steps of a build keep to the limits together, use one another's connections, and ask for an index once. */
interface SharedAccess {
  readonly network: Network;
  readonly indexes: IndexMemory;
  close(): Promise<void>;
}

const sharedAccess: Shareable<SharedAccess, { env: Environment; limits: Partial<TransportLimits> }> = {
  open({ env, limits }) {
    const network = new Network(env, limits);
    return { network, indexes: new Map(), close: () => network.close() };
  },
};

/** Opens the source, calls `use` with it and closes it whatever happens. */
export async function withSource<T>(context: SourceContext, use: (source: Source) => Promise<T>): Promise<T> {
  const request: SourceRequest = {
    ...context,
    ...context.params,
    name: context.params.source,
    sourcesFile: context.inputs.sources,
    lockFile: context.inputs.lock,
    sampleMirror: context.needs.sample?.mirror,
  };
  const isSample = request.sampleMirror !== undefined;
  const server =
    request.sampleMirror === undefined || request.offline
      ? undefined
      : await serveDirectory(request.sampleMirror);
  // The sample source is on this machine: a proxy could not reach it.
  const env = isSample ? {} : request.env;
  const limits = {
    overall: Number(context.params.downloads),
    perOrigin: Number(context.params.downloadsPerServer),
    leastRate: Number(context.params.leastRate),
    maxIndexNames: Number(context.params.indexLimit),
    settings: settingNames,
  };
  const access = isSample ? sharedAccess.open({ env, limits }) : request.share(sharedAccess, { env, limits });
  const transport = new Transport({
    env,
    network: access.network,
    offline: request.offline,
    signal: request.signal,
    onEvent: (event) => report(event, request),
  });
  try {
    const { sampleMirror: folder } = request;
    const locations =
      folder === undefined
        ? await readLocations(request.name, request.sourcesFile, request.mirrorUri)
        : await sampleLocations(server?.url ?? folder, folder, request.sourcesFile);
    return await use(openSource(request, locations, transport, access.indexes));
  } finally {
    await transport.close();
    if (isSample) await access.close();
    await server?.close();
  }
}

function openSource(
  request: SourceRequest,
  locations: SourceLocations,
  transport: Transport,
  indexes: IndexMemory,
): Source {
  // The sample source moves with the distribution: its pins are a record, never a demand.
  const isSample = request.sampleMirror !== undefined;
  const lock: SourceLock = isSample ? new Map() : readPins(request.lockFile, request.name);
  const policy: Policy = request.offline ? "offline" : request.frozen && !isSample ? "frozen" : "pin";
  return {
    ...locations,
    lock,
    policy,
    transport,
    catalogue: openCatalogue(locations.mirror, transport, indexes),
    blocked: (plan) => blockedArtifacts(plan, { lock, store: storeOf(request.blobs), policy }),
    has: (line) => !("absent" in line) && request.blobs.has(line.sha256),
    mayFetch: (artifact) => mayFetch(artifact, lock, policy),
    fetch: async (plan, unresolved = []) => {
      const pinned = new Map<string, LockLine>();
      try {
        const { lines } = await fetchArtifacts(plan, {
          lock,
          store: storeOf(request.blobs),
          staging: path.join(request.scratch, "downloads"),
          transport,
          policy,
          unresolved,
          inspect: inspectArtifact,
          signal: request.signal,
          onPin: (name, line) => pinned.set(name, line),
          // The sample source's extras were made on this machine.
          onTrust: (name, sha256) => {
            if (!isSample)
              request.note(`${name} is pinned unchecked, sha256 ${sha256}: upstream publishes no digest`);
          },
        });
        return lines;
      } finally {
        // What arrived whole stays pinned, also when another download failed.
        writePins(request.lockFile, request.name, pinned);
      }
    },
    update: (plan, names, { lock: pins, complete }) =>
      updateArtifacts(
        plan,
        names,
        {
          lock: pins,
          store: storeOf(request.blobs),
          staging: path.join(request.scratch, "downloads"),
          transport,
          signal: request.signal,
          inspect: inspectArtifact,
        },
        { complete },
      ),
    pin: (lines) => writePins(request.lockFile, request.name, lines),
    place: async (line, target) => {
      if (line === undefined || "absent" in line) return;
      await request.blobs.copyOut(line.sha256, target);
    },
  };
}

function storeOf(blobs: BlobAccess) {
  return {
    has: async (sha256: string) => blobs.has(sha256),
    pathOf: (sha256: string) => blobs.pathOf(sha256),
    adopt: (from: string, sha256: string) => blobs.adopt(from, sha256),
  };
}

function report(event: FetchEvent, { progress, note }: SourceRequest): void {
  switch (event.type) {
    case "download-planned":
      progress({ item: event.name, done: 0, total: event.total, unit: "bytes" });
      break;
    case "download-progress":
      progress({
        item: event.name,
        done: event.bytes,
        unit: "bytes",
        ...(event.total === undefined ? {} : { total: event.total }),
      });
      break;
    case "download-done":
      if (event.status === "fetched")
        progress({ item: event.name, done: event.bytes, total: event.bytes, unit: "bytes" });
      break;
    case "download-slow":
      note(
        `${event.name}: the rate is only ${event.rate} bytes per second; the download fails below ${event.leastRate} over ${event.seconds} s (--least-rate)`,
      );
      break;
    case "download-retry":
      note(`${event.name}: ${event.reason}; retrying (${event.attempt + 1} of ${event.attempts})`);
      break;
    case "warning":
      note(event.where === undefined ? event.message : `${event.where}: ${event.message}`);
      break;
    case "download-start":
    case "download-failed":
      break;
  }
}
