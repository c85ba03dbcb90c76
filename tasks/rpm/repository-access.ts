/** Fetching from repositories: pinned, verified against the digests that their metadata has, through the project's own transport. */
import path from "node:path";
import {
  type BlobAccess,
  file,
  type Progress,
  type SelectContext,
  type Share,
  type Shareable,
} from "../../src/engine/index.ts";
import {
  type Artifact,
  type Environment,
  fetchArtifacts,
  type LockLine,
  linesOf,
  Network,
  type Policy,
  parseLock,
  type SourceLock,
  Transport,
  type TransportLimits,
} from "../../src/fetch/index.ts";
import { proxyVariables } from "../settings/proxy-variables.ts";
import { reportEvent } from "../source/download-report.ts";
import { storeOf } from "../source/index.ts";
import { readPins, writePins } from "../source/source-lock.ts";
import {
  downloads,
  downloadsPerServer,
  frozen,
  leastRate,
  lockFile,
  offline,
  settingNames,
  source,
} from "../source/source-options.ts";

/** The value of `--source` that means the sample. */
export const sampleName = "sample-rpm";

/** The name under which the lock has what comes from the listed repositories. */
export const lockKey = "rpm";

export const accessParams = { source, frozen, offline, downloads, downloadsPerServer, leastRate } as const;
export const accessEnv = proxyVariables;

/** The lock's lines that a step is about, by the artifact's name. The sample's are no input: its packages move with the distribution. */
export function rpmLockInput(concerns: (artifact: string) => boolean) {
  return file(lockFile, {
    optional: true,
    mutable: true,
    select: (text, value, _about: SelectContext) => {
      if (value(source) === sampleName) return "";
      return [...linesOf(parseLock(text, value(lockFile)), lockKey)]
        .filter(([name]) => concerns(name))
        .map(([name, line]) => `${name} ${JSON.stringify(line)}\n`)
        .join("");
    },
  });
}

/** What a step hands over of its own context. */
interface AccessContext {
  /** Absolute path of the lock. */
  readonly lock: string;
  readonly params: {
    readonly source: string;
    readonly frozen: boolean;
    readonly offline: boolean;
    readonly downloads: string;
    readonly downloadsPerServer: string;
    readonly leastRate: string;
  };
  readonly env: Readonly<Record<string, string>>;
  readonly scratch: string;
  readonly blobs: BlobAccess;
  readonly share: Share;
  readonly signal: AbortSignal;
  readonly progress: (progress: Progress) => void;
  readonly note: (message: string) => void;
}

interface RepositoryAccess {
  readonly lock: SourceLock;
  /** Brings artifacts into the store; returns the lock's line of each. */
  readonly fetch: (plan: readonly Artifact[]) => Promise<ReadonlyMap<string, LockLine>>;
  /** Drops the pins that these names do not include, of those that `concerns` picks. */
  readonly keepOnly: (names: ReadonlySet<string>, concerns: (name: string) => boolean) => void;
}

const sharedNetwork: Shareable<Network, { env: Environment; limits: Partial<TransportLimits> }> = {
  open: ({ env, limits }) => new Network(env, limits),
};

/** Opens the transport, calls `use` and closes it whatever happens. */
export async function withRepositories<T>(
  context: AccessContext,
  use: (access: RepositoryAccess) => Promise<T>,
): Promise<T> {
  const { params, env, signal, blobs, scratch } = context;
  const key = params.source === sampleName ? sampleName : lockKey;
  const isBinding = key === lockKey;
  const lock: SourceLock = isBinding ? readPins(context.lock, key) : new Map();
  const policy: Policy = params.offline ? "offline" : params.frozen && isBinding ? "frozen" : "pin";
  const limits = {
    overall: Number(params.downloads),
    perOrigin: Number(params.downloadsPerServer),
    leastRate: Number(params.leastRate),
    settings: settingNames,
  };
  const transport = new Transport({
    env,
    network: context.share(sharedNetwork, { env, limits }),
    offline: params.offline,
    signal,
    onEvent: (event) => reportEvent(event, context),
  });
  try {
    return await use({
      lock,
      fetch: async (plan) => {
        const pinned = new Map<string, LockLine>();
        try {
          const { lines } = await fetchArtifacts(plan, {
            lock,
            store: storeOf(blobs),
            staging: path.join(scratch, "downloads"),
            transport,
            policy,
            signal,
            onPin: (name, line) => pinned.set(name, line),
          });
          return lines;
        } finally {
          // What arrived whole stays pinned, also when another download failed.
          writePins(context.lock, key, pinned);
        }
      },
      keepOnly: (names, concerns) => {
        const gone = [...readPins(context.lock, key).keys()].filter(
          (name) => concerns(name) && !names.has(name),
        );
        writePins(context.lock, key, new Map(gone.map((name) => [name, undefined])));
      },
    });
  } finally {
    await transport.close();
  }
}
