/** The remote cache of one command: opened when a task first has a use for it, and told of at the end. */
import { hostname } from "node:os";
import type {
  BlobReference,
  BuildEvent,
  Download,
  Progress,
  RemoteCache,
  RemoteResult,
  RemoteTraffic,
  RemoteTransfer,
  ResultKey,
  Store,
} from "../../engine/index.ts";
import type { HttpCache } from "../../remote/index.ts";
import type { RemoteCacheSettings } from "../options/remote-cache.ts";
import type { Session } from "../session.ts";
import { counted, formatBytes, formatSeconds } from "../terminal/style.ts";

/** What is told of a remote cache while it is used. */
interface CacheSinks {
  readonly onWarning: (message: string) => void;
  readonly onTransfer?: (transfer: RemoteTransfer) => void;
  /** Called while the end of a build waits for uploads. */
  readonly onUpload?: (progress: Progress) => void;
}

export class SessionCache implements RemoteCache {
  readonly #settings: RemoteCacheSettings;
  readonly #sinks: CacheSinks;
  readonly #isNeeded: boolean;
  #savedSeconds = 0;
  #opened: Promise<HttpCache> | undefined;
  /** Offers that wait for the cache to be opened. */
  readonly #offers = new Set<Promise<void>>();

  /** `isNeeded`: jobs on other machines get through it what they need. */
  constructor(settings: RemoteCacheSettings, sinks: CacheSinks, isNeeded: boolean) {
    this.#isNeeded = isNeeded;
    this.#settings = settings;
    this.#sinks = sinks;
  }

  /** Counts what the build saved by results of other machines. */
  onEvent(event: BuildEvent): void {
    if (event.type === "task-restored" && event.maker !== undefined) this.#savedSeconds += event.savedSeconds;
  }

  async find(key: ResultKey, signal: AbortSignal): Promise<RemoteResult | undefined> {
    return (await this.#cache()).find(key, signal);
  }

  async download(download: Download, signal: AbortSignal): Promise<boolean> {
    return (await this.#cache()).download(download, signal);
  }

  async provide(blobs: readonly BlobReference[], store: Store): Promise<boolean> {
    return (await this.#cache()).provide(blobs, store);
  }

  tally(isOfUse: boolean): void {
    // Something was found, so it is open.
    void this.#cache().then((cache) => cache.tally(isOfUse));
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
    let planned = 0;
    const left = await cache.flush(uploadWait, signal, (pending) => {
      planned = Math.max(planned, pending);
      this.#sinks.onUpload?.({ item: "uploads", done: planned - pending, total: planned, unit: "items" });
    });
    if (left > 0 && !signal.aborted)
      this.#sinks.onWarning(
        `${counted(left, "result")} did not reach the remote cache at ${location.shown} within ${uploadWait} s`,
      );
    await cache.close();
    return { ...cache.traffic, savedSeconds: this.#savedSeconds };
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
    const { HttpCache, longPatience } = await import("../../remote/index.ts");
    const { location, upload } = this.#settings;
    const patience = this.#isNeeded ? { patience: longPatience } : {};
    return new HttpCache(location, { upload, maker: hostname(), ...patience, ...this.#sinks });
  }
}

/** The remote cache that the session's command line asks for; undefined for none. */
export function sessionCache({ request }: Session, sinks: CacheSinks): SessionCache | undefined {
  const { remoteCache, executor } = request;
  return remoteCache === undefined ? undefined : new SessionCache(remoteCache, sinks, executor !== undefined);
}

/** `remote cache: 3 results found, 2 not there, 1 stored; 12 MB received, 3 MB sent; 8 s saved`. */
export function trafficLine(traffic: RemoteTraffic): string {
  const { hits, misses, stored, sources, received, sent, savedSeconds } = traffic;
  // Less than a second is not worth a word.
  const saved = savedSeconds < 1 ? "" : `; ${formatSeconds(savedSeconds)} saved`;
  const fetched = sources === 0 ? "" : `, ${counted(sources, "pinned source")} fetched`;
  const stores = stored === 0 ? "" : `, ${stored} stored`;
  const bytes = [
    ...(received === 0 ? [] : [`${formatBytes(received)} received`]),
    ...(sent === 0 ? [] : [`${formatBytes(sent)} sent`]),
  ].join(", ");
  return `remote cache: ${counted(hits, "result")} found, ${misses} not there${fetched}${stores}${bytes === "" ? "" : `; ${bytes}`}${saved}`;
}
