/**
 * Downloads: how many at once, how often tried, into which file. It does not know what is downloaded or what
 * it is checked against; that is for who asks.
 */
import { rename } from "node:fs/promises";
import path from "node:path";
import { type ErrorCode, UserError } from "../../errors/index.ts";
import { type Clock, systemClock } from "./clock.ts";
import { checkKind } from "./content-kind.ts";
import type { DownloadOutcome, DownloadRequest, Received, TransportLimits, Validators } from "./download.ts";
import { type FetchSink, ignoreEvents } from "./event.ts";
import { copyLocal } from "./local-file.ts";
import { parseLocation, publicUrl } from "./location.ts";
import { Network } from "./network.ts";
import type { Environment } from "./proxy.ts";
import type { Resumable } from "./receive.ts";
import { endOf, type Route } from "./route.ts";
import { offlineHint } from "./setting-names.ts";
import { FileSink, MemorySink, type Sink, writeFailure } from "./sink.ts";
import { receiveRepeatedly, type TriesContext } from "./tries.ts";
import type { Version } from "./validators.ts";

export interface TransportOptions {
  /** Proxies are read from here, and nothing else is. */
  readonly env: Environment;
  /** Open no socket: whatever is not local fails with code `offline`. */
  readonly offline?: boolean;
  /** Ends every download; they reject with the signal's reason and leave no file behind. */
  readonly signal?: AbortSignal;
  readonly onEvent?: FetchSink;
  readonly clock?: Clock;
  /** 0 ≤ n < 1, for the jitter between tries. */
  readonly random?: () => number;
  readonly limits?: Partial<TransportLimits>;
  /** Connections and places that several transports share; one without has its own, with the limits above. */
  readonly network?: Network;
}

export class Transport {
  readonly offline: boolean;
  readonly onEvent: FetchSink;
  readonly #signal: AbortSignal | undefined;
  readonly #clock: Clock;
  readonly #context: Omit<TriesContext, "progress">;
  readonly limits: TransportLimits;
  readonly #network: Network;
  readonly #ownsNetwork: boolean;
  readonly #closed = new AbortController();
  #fileCount = 0;

  constructor(options: TransportOptions) {
    this.offline = options.offline ?? false;
    this.onEvent = options.onEvent ?? ignoreEvents;
    this.#signal = options.signal;
    this.#clock = options.clock ?? systemClock;
    this.#ownsNetwork = options.network === undefined;
    this.#network = options.network ?? new Network(options.env, options.limits);
    this.limits = this.#network.limits;
    this.#context = {
      network: this.#network,
      limits: this.limits,
      env: options.env,
      clock: this.#clock,
      random: options.random ?? Math.random,
      onEvent: this.onEvent,
    };
  }

  /**
   * Downloads to `target`, an absolute path whose directory exists: to a file beside it first, renamed when it is
   * complete and of the right kind. `check` sees what came before the rename and may throw. Nothing is written
   * for `unchanged` and `absent`. When bytes that came with several answers are not what `check` expects, they may be of
   * several versions, which no header told: then all of it is asked for once more, with one answer.
   */
  async download(
    request: DownloadRequest & { readonly target: string },
    check?: (received: Received) => Promise<void> | void,
  ): Promise<DownloadOutcome> {
    let isAssembled = false;
    try {
      return await this.#downloadOnce(request, (received) => {
        isAssembled = received.isAssembled === true;
        return check?.(received);
      });
    } catch (error) {
      if (!isMismatch(error) || !isAssembled) throw this.#rememberMismatch(request.url, error);
      const reason = "the assembled ranges have the wrong digest";
      const { name } = request;
      this.onEvent({ type: "download-retry", name, reason, attempt: 1, attempts: 2, delayMs: 0 });
    }
    try {
      return await this.#downloadOnce({ ...request, inOneGo: true }, check);
    } catch (error) {
      throw this.#rememberMismatch(request.url, error);
    }
  }

  /** Records wrong bytes as a final failure of the URL. */
  #rememberMismatch(url: string, error: unknown): unknown {
    if (isMismatch(error)) this.#network.attempts.gaveUp(url, error);
    return error;
  }

  async #downloadOnce(
    request: DownloadRequest & { readonly target: string },
    check: ((received: Received) => Promise<void> | void) | undefined,
  ): Promise<DownloadOutcome> {
    this.#fileCount += 1;
    const part = `.${path.basename(request.target)}.${process.pid}.${this.#fileCount}.part`;
    const sink = new FileSink(path.join(path.dirname(request.target), part));
    try {
      const outcome = await this.#obtain(request, sink);
      if (outcome.status !== "fetched") return outcome;
      await sink.finish();
      await check?.(outcome);
      await rename(sink.path, request.target).catch((error: unknown) => {
        throw writeFailure(error, request.target);
      });
      return outcome;
    } finally {
      await sink.discard();
    }
  }

  /** Downloads into memory: for indexes and other small files (64 MiB at most unless the request says less). */
  async read(request: DownloadRequest): Promise<{ readonly bytes: Buffer } & DownloadOutcome> {
    const sink = new MemorySink();
    const most = Math.min(request.maxBytes ?? this.limits.maxMemoryBytes, this.limits.maxMemoryBytes);
    const outcome = await this.#obtain({ ...request, maxBytes: most }, sink);
    return { ...outcome, bytes: sink.bytes };
  }

  /** Gives up what is still being downloaded, and ends all connections that are not shared. */
  async close(): Promise<void> {
    this.#closed.abort(new Error("the transport was closed"));
    if (this.#ownsNetwork) await this.#network.close();
  }

  async #obtain(given: DownloadRequest, sink: Sink): Promise<DownloadOutcome> {
    const location = parseLocation(given.url, given.where);
    const signals = [this.#closed.signal, this.#signal, given.signal].filter((one) => one !== undefined);
    const signal = AbortSignal.any(signals);
    const request = { ...given, signal, maxBytes: this.#bytesFor(given) };
    const url = publicUrl(given.url);
    if (location.kind === "remote" && this.offline) {
      throw new UserError(`${given.name} has not been downloaded yet, and offline mode forbids it`, {
        code: "offline",
        where: given.where ?? url,
        hint: offlineHint(this.limits.settings),
      });
    }
    const origin = location.kind === "remote" ? location.url.origin : "local";
    const work = async (): Promise<DownloadOutcome> => {
      this.onEvent({ type: "download-start", name: given.name, url });
      try {
        const route: Route = [location.kind === "remote" ? location.url : new URL("file:///")];
        const partial: Resumable = { version: undefined, isAssembled: false, route };
        const progress = this.#progressOf(given.name, sink);
        const status =
          location.kind === "local"
            ? (await copyLocal(location.path, request, sink, request, progress))
              ? "fetched"
              : "absent"
            : await receiveRepeatedly(request, sink, partial, { ...this.#context, progress });
        const from = location.kind === "local" ? url : endOf(partial.route);
        if (status === "fetched") checkKind(given.kind, sink.head, given.name, from);
        this.onEvent({ type: "download-done", name: given.name, bytes: sink.size, status });
        if (status !== "fetched") return { status };
        const { version, isAssembled } = partial;
        return { status, size: sink.size, ...sink.digests(), ...validatorsOf(version), url, isAssembled };
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        this.onEvent({ type: "download-failed", name: given.name, reason });
        throw error;
      }
    };
    const priority = sink instanceof MemorySink ? "small" : given.urgent === true ? "urgent" : "normal";
    return await this.#network.slots.hold(origin, signal, work, priority);
  }

  #bytesFor(request: DownloadRequest): number {
    const most = request.kind === "text" ? this.limits.maxTextBytes : this.limits.maxBytes;
    return Math.min(request.maxBytes ?? most, most);
  }

  /** At most ten events a second for each download: a display needs no more. */
  #progressOf(name: string, sink: Sink): (total: number | undefined) => void {
    let last = Number.NEGATIVE_INFINITY;
    let known = 0;
    return (total) => {
      this.#network.reclaimer.received(Math.max(0, sink.received - known));
      known = sink.received;
      const now = this.#clock.now();
      if (now - last < 100) return;
      last = now;
      this.onEvent({ type: "download-progress", name, bytes: sink.received, total });
    };
  }
}

/** The validators of a version, for later conditional requests. */
function validatorsOf(version: Version | undefined): Validators {
  const { etag, lastModified } = version ?? {};
  return {
    ...(etag === undefined ? {} : { etag }),
    ...(lastModified === undefined ? {} : { lastModified }),
  };
}

const mismatches: ReadonlySet<ErrorCode> = new Set([
  "lock-mismatch",
  "md5-mismatch",
  "sha256-mismatch",
  "size-mismatch",
]);

/** Whether the received bytes have another digest or size than upstream or the lock names. */
function isMismatch(error: unknown): error is UserError {
  return error instanceof UserError && mismatches.has(error.code);
}
