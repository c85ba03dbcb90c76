/**
 * A cache of results that several machines share, as the engine sees it: looked up before a task runs, offered what a task
 * made. Where it is and how it is asked is another room's matter. Nothing it does fails a build.
 */
import type { Digest } from "../define/names.ts";
import type { Listing } from "../files/listing.ts";
import type { BlobReference } from "./blob-file.ts";
import type { Part } from "./stamp.ts";
import type { Store } from "./store.ts";

/** Names a result: the task, and everything that its fingerprint covers. */
export interface ResultKey {
  readonly task: string;
  readonly variant: string;
  readonly parts: readonly Part[];
}

export interface RemoteResult {
  /** Paths are `slot` or `slot/path`. */
  readonly outputs: Listing;
  /** The parts of those contents that were made of others, one behind the other: they travel instead of the whole. */
  readonly joined?: ReadonlyMap<Digest, readonly BlobReference[]>;
  /** What the task printed, where it printed anything. */
  readonly log?: BlobReference;
  /** How long the run took, in seconds. */
  readonly seconds: number;
  /** Who made it, in that machine's own words: to be shown, and not to be relied on. */
  readonly maker: string;
}

/** Contents that are of use only together. */
export interface Download {
  readonly blobs: readonly BlobReference[];
  /** Where they are wanted. */
  readonly store: Store;
  /** Of several downloads that with the higher priority comes first. */
  readonly priority: number;
}

export interface RemoteCache {
  /** The result that is stored for the key; undefined for a miss. Never rejects but for the signal. */
  find(key: ResultKey, signal: AbortSignal): Promise<RemoteResult | undefined>;
  /**
   * Brings the contents that the store lacks into it, each checked against its digest and size. False when one content cannot be
   * had: the result is useless then.
   */
  download(download: Download, signal: AbortSignal): Promise<boolean>;
  /** Is told of each result that was found whether it was of use, for the count. */
  tally(isOfUse: boolean): void;
  /** Brings a content that is known by its digest, such as a pinned source, into the store; false where it cannot be had. */
  retrieve(blob: BlobReference, store: Store, signal: AbortSignal): Promise<boolean>;
  /** Sends what the server lacks of these contents at once; false where it does not have all of them afterwards. */
  provide(blobs: readonly BlobReference[], store: Store): Promise<boolean>;
  /** Takes a content of the store to be sent beside the build, for `retrieve` on other machines. Returns at once. */
  offerContent(blob: BlobReference, store: Store): void;
  /** Takes a result that was just made, whose contents are in the store, to be sent beside the build. Returns at once. */
  offer(key: ResultKey, result: Omit<RemoteResult, "maker">, store: Store): void;
}

/** What a command and its remote cache exchanged. */
export interface RemoteTraffic {
  /** Results that were taken from it, and look-ups that found nothing of use. */
  readonly hits: number;
  readonly misses: number;
  /** Results that were stored in it. */
  readonly stored: number;
  /** Contents that were taken from it by their digests: pinned sources. */
  readonly sources: number;
  /** Bytes of what was read and written. */
  readonly received: number;
  readonly sent: number;
  /** How long the runs took, elsewhere, whose results were taken. */
  readonly savedSeconds: number;
}

/** A request to the cache that is over. */
export interface RemoteTransfer {
  readonly kind: "look-up" | "download" | "upload";
  /** The task that was looked up, or the content's digest. */
  readonly name: string;
  readonly seconds: number;
  /** Whether it was of use: found, fetched or stored. */
  readonly isGood: boolean;
  /** Size of a content. */
  readonly bytes?: number;
}
