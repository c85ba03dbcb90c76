/**
 * Downloads: how many at once, how often tried, into which file. It does not know what is downloaded or what
 * it is checked against; that is for who asks.
 */
import { rename } from "node:fs/promises";
import path from "node:path";
import { UserError } from "../errors/index.ts";
import { type Clock, systemClock } from "./clock.ts";
import { checkKind } from "./content-kind.ts";
import type { DownloadOutcome, DownloadRequest, Received, TransportLimits } from "./download.ts";
import { type FetchSink, ignoreEvents } from "./event.ts";
import { explainOther, explainTransient } from "./failure.ts";
import { copyLocal } from "./local-file.ts";
import { parseLocation, publicUrl } from "./location.ts";
import { Network } from "./network.ts";
import type { Environment } from "./proxy.ts";
import { type Resumable, receive } from "./receive.ts";
import { backoffDelay, transientFailure } from "./retry.ts";
import { FileSink, MemorySink, type Sink, writeFailure } from "./sink.ts";

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
  readonly #env: Environment;
  readonly #signal: AbortSignal | undefined;
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #limits: TransportLimits;
  readonly #network: Network;
  readonly #ownsNetwork: boolean;
  readonly #closed = new AbortController();
  #fileCount = 0;

  constructor(options: TransportOptions) {
    this.offline = options.offline ?? false;
    this.onEvent = options.onEvent ?? ignoreEvents;
    this.#env = options.env;
    this.#signal = options.signal;
    this.#clock = options.clock ?? systemClock;
    this.#random = options.random ?? Math.random;
    this.#ownsNetwork = options.network === undefined;
    this.#network = options.network ?? new Network(options.env, options.limits);
    this.#limits = this.#network.limits;
  }

  /**
   * Downloads to `target`, an absolute path whose folder exists: to a file beside it first, renamed when it is
   * complete and of the right kind. `check` sees what came before the rename and may throw. Nothing is written
   * for `unchanged` and `absent`.
   */
  async download(
    request: DownloadRequest & { readonly target: string },
    check?: (received: Received) => Promise<void> | void,
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
    const most = Math.min(request.maxBytes ?? this.#limits.maxMemoryBytes, this.#limits.maxMemoryBytes);
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
    const request = { ...given, signal };
    const url = publicUrl(given.url);
    if (location.kind === "remote" && this.offline) {
      throw new UserError(`${given.name} is not here, and --offline forbids to download it`, {
        code: "offline",
        where: given.where ?? url,
        hint: "run it once without --offline",
      });
    }
    const origin = location.kind === "remote" ? location.url.origin : "local";
    const work = async (): Promise<DownloadOutcome> => {
      this.onEvent({ type: "download-start", name: given.name, url });
      try {
        const partial: Resumable = { validators: {} };
        const progress = this.#progressOf(given.name, sink);
        const status =
          location.kind === "local"
            ? (await copyLocal(location.path, request, sink, this.#bytesFor(request), progress))
              ? "fetched"
              : "absent"
            : await this.#tryRepeatedly(request, sink, partial, progress);
        if (status === "fetched") checkKind(given.kind, sink.head, given.name, url);
        this.onEvent({ type: "download-done", name: given.name, bytes: sink.size, status });
        if (status !== "fetched") return { status };
        return { status, size: sink.size, ...sink.digests(), ...partial.validators, url };
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        this.onEvent({ type: "download-failed", name: given.name, reason });
        throw error;
      }
    };
    const priority = sink instanceof MemorySink ? "small" : given.urgent === true ? "urgent" : "normal";
    return await this.#network.slots.hold(origin, signal, work, priority);
  }

  async #tryRepeatedly(
    request: DownloadRequest,
    sink: Sink,
    partial: Resumable,
    progress: (total: number | undefined) => void,
  ): Promise<"fetched" | "unchanged" | "absent"> {
    const { signal } = request;
    const { attempts } = this.#limits;
    const context = {
      connections: this.#network.connections,
      limits: this.#limits,
      signal,
      now: () => this.#clock.now(),
      progress,
      whenFree: (waiting: AbortSignal, work: () => Promise<void>) =>
        this.#network.slots.hold(
          new URL(request.url).origin,
          waiting,
          work,
          request.urgent === true ? "urgent" : "spare",
        ),
    };
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await receive(request, sink, partial, context);
      } catch (error) {
        signal?.throwIfAborted();
        const failure = error instanceof UserError ? undefined : transientFailure(error);
        if (failure === undefined) throw explainOther(error, request, this.#env);
        if (attempt >= attempts) throw explainTransient(failure, request, attempts, this.#env);
        const delayMs = failure.retryAfterMs ?? backoffDelay(attempt, this.#limits, this.#random());
        const reason = failure.message;
        this.onEvent({ type: "download-retry", name: request.name, reason, attempt, attempts, delayMs });
        await this.#clock.sleep(delayMs, signal);
      }
    }
  }

  #bytesFor(request: DownloadRequest): { readonly maxBytes: number } {
    return { maxBytes: request.maxBytes ?? this.#limits.maxBytes };
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
