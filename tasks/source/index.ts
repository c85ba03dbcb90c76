/**
 * The source of a build: where its mirror, gem server and extras are, what is pinned, and how things are fetched from
 * it. The fetch steps share this; none of them knows which source it is.
 */
import path from "node:path";
import type { BlobAccess, Progress, Share, Shareable } from "../../src/engine/index.ts";
import {
  type Artifact,
  blockedArtifacts,
  type Catalogue,
  type Environment,
  fetchArtifacts,
  type IndexMemory,
  type LockLine,
  mayFetch,
  Network,
  openCatalogue,
  type Policy,
  type SourceLock,
  Transport,
  type TransportLimits,
  type Update,
  updateArtifacts,
  type Wanted,
} from "../../src/fetch/index.ts";
import { reportEvent } from "./download-report.ts";
import { inspectArtifact } from "./inspection.ts";
import { kindOf, sourceChoices } from "./kinds/index.ts";
import type { OpenedLocations, SourceKind, SourceLocations } from "./kinds/source-kind.ts";
import { readPins, writePins } from "./source-lock.ts";
import { settingNames } from "./source-options.ts";

export { sourceEnv, sourceInputs, sourceNeeds, sourceParams } from "./fetch-step.ts";

/** What a fetch step hands over of its own context. */
interface SourceContext {
  readonly needs: Readonly<Record<string, Readonly<Record<string, string>> | undefined>>;
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
  readonly kind: SourceKind;
  readonly lockFile: string;
  readonly frozen: boolean;
  readonly offline: boolean;
}

export interface Source extends SourceLocations {
  readonly kind: SourceKind;
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
  const { inputs, needs, params } = context;
  const kind = kindOf(params.source);
  const { locations, isLocal, close } = await kind.open({
    name: params.source,
    made: kind.name === undefined ? undefined : needs[kind.name]?.mirror,
    sourcesFile: inputs.sources,
    mirrorUri: params.mirrorUri,
    offline: params.offline,
    choices: sourceChoices,
  });
  const request: SourceRequest = {
    ...context,
    ...params,
    name: params.source,
    kind,
    lockFile: inputs.lock,
  };
  const env = isLocal ? {} : request.env;
  const limits = {
    overall: Number(params.downloads),
    perOrigin: Number(params.downloadsPerServer),
    leastRate: Number(params.leastRate),
    maxIndexNames: Number(params.indexLimit),
    settings: settingNames,
  };
  const access = isLocal ? sharedAccess.open({ env, limits }) : request.share(sharedAccess, { env, limits });
  const transport = new Transport({
    env,
    network: access.network,
    offline: request.offline,
    signal: request.signal,
    onEvent: (event) => reportEvent(event, request),
  });
  try {
    return await use(openSource(request, { locations, isLocal }, transport, access.indexes));
  } finally {
    await transport.close();
    if (isLocal) await access.close();
    await close();
  }
}

function openSource(
  request: SourceRequest,
  { locations, isLocal }: Pick<OpenedLocations, "locations" | "isLocal">,
  transport: Transport,
  indexes: IndexMemory,
): Source {
  const { kind } = request;
  const isBinding = kind.lock.pins === "binding";
  const lock: SourceLock = isBinding ? readPins(request.lockFile, request.name) : new Map();
  const policy: Policy = request.offline ? "offline" : request.frozen && isBinding ? "frozen" : "pin";
  return {
    ...locations,
    kind,
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
          onTrust: (name, sha256) => {
            if (!isLocal)
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

export function storeOf(blobs: BlobAccess) {
  return {
    has: async (sha256: string) => blobs.has(sha256),
    pathOf: (sha256: string) => blobs.pathOf(sha256),
    adopt: (from: string, sha256: string) => blobs.adopt(from, sha256),
    retrieve: (sha256: string, size: number) => blobs.retrieve(sha256, size),
    offer: (sha256: string, size: number) => blobs.offer(sha256, size),
  };
}
