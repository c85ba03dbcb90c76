/** The remote cache of one command: opened when a task first has a use for it, and told of at the end. */
import { hostname } from "node:os";
import type {
  BlobReference,
  RemoteCache,
  RemoteResult,
  RemoteTraffic,
  ResultKey,
  Store,
} from "../../engine/index.ts";
import type { HttpCache } from "../../remote/index.ts";
import type { RemoteCacheSettings } from "../options/remote-cache.ts";
import type { Session } from "../session.ts";
import { counted, formatBytes } from "../terminal/style.ts";

export class SessionCache implements RemoteCache {
  readonly #settings: RemoteCacheSettings;
  readonly #onWarning: (message: string) => void;
  #opened: Promise<HttpCache> | undefined;
  /** Offers that wait for the cache to be opened. */
  readonly #offers = new Set<Promise<void>>();

  constructor(settings: RemoteCacheSettings, onWarning: (message: string) => void) {
    this.#settings = settings;
    this.#onWarning = onWarning;
  }

  async find(key: ResultKey, signal: AbortSignal): Promise<RemoteResult | undefined> {
    return (await this.#cache()).find(key, signal);
  }

  async download(
    blobs: readonly BlobReference[],
    store: Store,
    priority: number,
    signal: AbortSignal,
  ): Promise<boolean> {
    return (await this.#cache()).download(blobs, store, priority, signal);
  }

  async retrieve(blob: BlobReference, store: Store, signal: AbortSignal): Promise<boolean> {
    return (await this.#cache()).retrieve(blob, store, signal);
  }

  offerContent(blob: BlobReference, store: Store): void {
    this.#upload((cache) => cache.offerContent(blob, store));
  }

  offer(key: ResultKey, result: Omit<RemoteResult, "maker">, store: Store): void {
    this.#upload((cache) => cache.offer(key, result, store));
  }

  #upload(offer: (cache: HttpCache) => void): void {
    if (!this.#settings.upload) return;
    const offered = this.#cache().then((cache) => {
      offer(cache);
      this.#offers.delete(offered);
    });
    this.#offers.add(offered);
  }

  /**
   * Waits for uploads as long as the settings say, or until the signal; then closes all connections. Returns what went over them,
   * undefined where none was needed.
   */
  async end(signal: AbortSignal): Promise<RemoteTraffic | undefined> {
    if (this.#opened === undefined) return undefined;
    await Promise.all(this.#offers);
    const cache = await this.#opened;
    const { uploadWait, location } = this.#settings;
    const left = await cache.flush(uploadWait, signal);
    if (left > 0 && !signal.aborted)
      this.#onWarning(
        `${counted(left, "result")} did not reach the remote cache at ${location.shown} within ${uploadWait} s`,
      );
    await cache.close();
    return cache.traffic;
  }

  /** Gives up uploads and closes all connections; may be called again. */
  async close(): Promise<void> {
    await (await this.#opened)?.close();
  }

  #cache(): Promise<HttpCache> {
    this.#opened ??= this.#open();
    return this.#opened;
  }

  async #open(): Promise<HttpCache> {
    const { HttpCache } = await import("../../remote/index.ts");
    const { location, upload } = this.#settings;
    return new HttpCache(location, { upload, maker: hostname(), onWarning: this.#onWarning });
  }
}

/** The remote cache that the session's command line asks for; undefined for none. */
export function sessionCache(
  { request }: Session,
  onWarning: (message: string) => void,
): SessionCache | undefined {
  return request.remoteCache === undefined ? undefined : new SessionCache(request.remoteCache, onWarning);
}

/** `remote cache: 3 results found, 2 not there; 1 stored; 12 MB received, 3 MB sent`. */
export function trafficLine({ hits, misses, stored, sources, received, sent }: RemoteTraffic): string {
  const fetched = sources === 0 ? "" : `, ${counted(sources, "pinned source")} fetched`;
  const stores = stored === 0 ? "" : `, ${stored} stored`;
  const bytes = [
    ...(received === 0 ? [] : [`${formatBytes(received)} received`]),
    ...(sent === 0 ? [] : [`${formatBytes(sent)} sent`]),
  ].join(", ");
  return `remote cache: ${counted(hits, "result")} found, ${misses} not there${fetched}${stores}${bytes === "" ? "" : `; ${bytes}`}`;
}
