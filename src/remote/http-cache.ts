/** The remote cache that the engine is given: results of other machines over HTTP. */
import { setTimeout as delay } from "node:timers/promises";
import {
  type BlobReference,
  type Digest,
  type Download,
  digestOfBytes,
  type Part,
  type RemoteCache,
  type RemoteResult,
  type RemoteTraffic,
  type RemoteTransfer,
  type ResultKey,
  type Store,
  Turns,
} from "../engine/index.ts";
import { encodeAction, readParts } from "./action.ts";
import { decodeResult, parseResult, treesOf } from "./action-result.ts";
import { CacheClient } from "./client.ts";
import { Health } from "./health.ts";
import type { ServerLocation } from "./server.ts";
import { UploadQueue } from "./upload-queue.ts";

/** Bytes that a result, or one of its trees, may have. */
const mostBytes = 16 * 1024 ** 2;

/** Results that are looked up, and contents that are downloaded, at once. */
const lookUpsAtOnce = 16;
const downloadsAtOnce = 8;

/** How long a server may keep a build waiting, in milliseconds: without progress in one request, and in vain in all. */
interface Patience {
  readonly request: number;
  readonly total: number;
}

/** Of a build, which can do without the cache. */
const usualPatience: Patience = { request: 2000, total: 2500 };
/** Of jobs on other machines, and of the build that submits them, which cannot. */
export const longPatience: Patience = { request: 30_000, total: 60_000 };

interface Settings {
  readonly patience?: Patience;
  /** Whether results are written, too. */
  readonly upload: boolean;
  /** How this machine names itself in the results that it makes. */
  readonly maker: string;
  /** Called once for each kind of trouble, with a sentence. */
  readonly onWarning: (message: string) => void;
  /** Called when a request is over. */
  readonly onTransfer?: (transfer: RemoteTransfer) => void;
}

/** The name that a result has on servers: the sha256 of its `Action`. */
export function keyOf(key: ResultKey): Digest {
  return encodeAction(key).action.digest;
}

export class HttpCache implements RemoteCache {
  readonly #client: CacheClient;
  readonly #health: Health;
  readonly #queue: UploadQueue;
  readonly #maker: string;
  readonly #onTransfer: (transfer: RemoteTransfer) => void;
  readonly #lookUps = new Turns(lookUpsAtOnce);
  readonly #downloads = new Turns(downloadsAtOnce);
  readonly #arriving = new Map<Digest, Promise<boolean>>();
  #hits = 0;
  #misses = 0;
  #sources = 0;

  constructor(
    location: ServerLocation,
    { upload, maker, onWarning, onTransfer = () => {}, patience = usualPatience }: Settings,
  ) {
    this.#onTransfer = onTransfer;
    this.#maker = maker;
    this.#health = new Health(onWarning, upload ? ["read", "write"] : ["read"], patience.total);
    this.#client = new CacheClient(location, this.#health, patience.request);
    this.#queue = new UploadQueue(this.#client, this.#health, onTransfer);
  }

  async find(key: ResultKey, signal: AbortSignal): Promise<RemoteResult | undefined> {
    const { action } = encodeAction(key);
    const result = await this.#lookUps.take(0, signal, () =>
      this.#timed({ kind: "look-up", name: key.task }, () => this.#readResult(action.digest, signal)),
    );
    if (result === undefined) this.#misses += 1;
    return result;
  }

  async download({ blobs, store, priority }: Download, signal: AbortSignal): Promise<boolean> {
    const missing = new Map(blobs.map((blob) => [blob.digest, blob]));
    for (const digest of missing.keys()) if (store.has(digest)) missing.delete(digest);
    let isComplete = true;
    const receive = async (blob: BlobReference): Promise<boolean> => {
      // Without one of them the others are of no use.
      if (!isComplete) return false;
      return (await this.#receive(blob, store, signal)) === true;
    };
    const bring = async (blob: BlobReference): Promise<void> => {
      // Another task's result may contain the same, and be on its way; that may be given up for a content that is not in this one.
      if ((await this.#arriving.get(blob.digest)) === true) return;
      const arrival = this.#downloads.take(priority, signal, () => receive(blob));
      this.#arriving.set(blob.digest, arrival);
      arrival.finally(() => this.#arriving.delete(blob.digest)).catch(() => undefined);
      if (!(await arrival)) isComplete = false;
    };
    await Promise.all([...missing.values()].map(bring));
    return isComplete;
  }

  tally(isOfUse: boolean): void {
    if (isOfUse) this.#hits += 1;
    else this.#misses += 1;
  }

  offer(key: ResultKey, result: Omit<RemoteResult, "maker">, store: Store): void {
    if (this.#health.can("write")) this.#queue.addResult(key, { ...result, maker: this.#maker }, store);
  }

  async retrieve(blob: BlobReference, store: Store, signal: AbortSignal): Promise<boolean> {
    const isHere =
      store.has(blob.digest) ||
      (await this.#downloads.take(0, signal, () => this.#receive(blob, store, signal))) === true;
    if (isHere) this.#sources += 1;
    return isHere;
  }

  async provide(blobs: readonly BlobReference[], store: Store): Promise<boolean> {
    const sent = await Promise.allSettled(blobs.map((blob) => this.#queue.send(blob, store)));
    return sent.every((one) => one.status === "fulfilled" && one.value);
  }

  offerContent(blob: BlobReference, store: Store): void {
    if (this.#health.can("write")) this.#queue.addContent(blob, store);
  }

  /** A content of at most 16 MiB; undefined where it cannot be had, or is not what the digest says. */
  async content(digest: Digest, signal: AbortSignal): Promise<Uint8Array | undefined> {
    const bytes = await this.#client.read("cas", digest, mostBytes, signal);
    return bytes !== undefined && digestOfBytes(bytes) === digest ? bytes : undefined;
  }

  /**
   * What a result was made of on another machine, as the cache keeps it beside the result; undefined where it does not.
   * `key` is what `keyOf` returns there.
   */
  async explain(key: Digest, signal: AbortSignal): Promise<readonly Part[] | undefined> {
    return readParts(key, (digest) => this.#client.read("cas", digest, mostBytes, signal));
  }

  /** Whether the server answers as a cache does, for reading and, where results are uploaded, for writing. */
  async probe(signal: AbortSignal): Promise<{ readonly reads: boolean; readonly writes: boolean }> {
    const nothing = digestOfBytes("");
    await this.#client.read("cas", nothing, 0, signal);
    const reads = this.#health.can("read");
    const writes = this.#health.can("write") && (await this.#client.put("cas", nothing, 0, none()));
    return { reads, writes };
  }

  /**
   * Waits until everything is sent, `seconds` at most, or until the signal. Returns the number of results that are not sent; sending
   * goes on until `close`. `onProgress` is told how many are left.
   */
  async flush(
    seconds: number,
    signal: AbortSignal,
    onProgress: (left: number) => void = () => {},
  ): Promise<number> {
    const over = new AbortController();
    const expired = delay(seconds * 1000, undefined, { signal: AbortSignal.any([signal, over.signal]) });
    await Promise.race([this.#queue.settled(onProgress), expired.catch(() => undefined)]);
    over.abort();
    return this.#queue.pending;
  }

  /** Gives up what is still to be sent, and closes every connection. */
  async close(): Promise<void> {
    this.#queue.clear();
    this.#health.end();
    await this.#client.close();
    await this.#queue.settled();
  }

  get traffic(): Omit<RemoteTraffic, "savedSeconds"> {
    const { received, sent } = this.#client;
    return {
      hits: this.#hits,
      misses: this.#misses,
      stored: this.#queue.stored,
      sources: this.#sources,
      received,
      sent,
    };
  }

  async #readResult(action: Digest, signal: AbortSignal): Promise<RemoteResult | undefined> {
    const bytes = await this.#client.read("ac", action, mostBytes, signal);
    const message = bytes === undefined ? undefined : parseResult(bytes);
    const references = message === undefined ? undefined : treesOf(message);
    if (message === undefined || references === undefined) return undefined;
    const trees = new Map<string, Uint8Array>();
    for (const [directory, { digest }] of references) {
      const tree = await this.#client.read("cas", digest, mostBytes, signal);
      if (tree === undefined) return undefined;
      trees.set(directory, tree);
    }
    return decodeResult(message, trees);
  }

  #receive({ digest, size }: BlobReference, store: Store, signal: AbortSignal): Promise<true | undefined> {
    return this.#timed({ kind: "download", name: digest, bytes: size }, async () =>
      (await this.#client.receive({ digest, size }, store, signal)) ? true : undefined,
    );
  }

  /** Tells of a request, and counts the time of what turns out to be of no use. */
  async #timed<T>(
    transfer: Pick<RemoteTransfer, "kind" | "name" | "bytes">,
    work: () => Promise<T | undefined>,
  ): Promise<T | undefined> {
    const startedAt = performance.now();
    const result = await work();
    const endedAt = performance.now();
    if (result === undefined) this.#health.waste(startedAt, endedAt);
    this.#onTransfer({ ...transfer, seconds: (endedAt - startedAt) / 1000, isGood: result !== undefined });
    return result;
  }
}

/** The bytes of an empty content. */
async function* none(): AsyncGenerator<Uint8Array> {}
