/**
 * A client of the Bazel HTTP cache protocol: `BASE/cas/DIGEST` and `BASE/ac/DIGEST`, read with GET, asked for with HEAD, written
 * with PUT (bazel.build, "Remote caching", HTTP caching protocol). No method rejects for what the server does: a fault is a miss,
 * and what is wrong with the server as a whole ends its use.
 */
import { Readable } from "node:stream";
import { type Dispatcher, EnvHttpProxyAgent, request } from "undici";
import type { BlobReference, Digest, Store } from "../engine/index.ts";
import { systemErrorCode } from "../errors/index.ts";
import type { Health, Use } from "./health.ts";
import type { ServerLocation } from "./server.ts";
import { Watchdog } from "./watchdog.ts";

/** `cas` holds contents, `ac` the results of actions. */
type Area = "ac" | "cas";

/** Connections to the server at once: more than there are requests, which would otherwise wait with their time running. */
const connections = 32;

interface Exchange<T> {
  readonly method: "GET" | "HEAD" | "PUT";
  readonly area: Area;
  readonly digest: Digest;
  readonly use: Use;
  readonly signal?: AbortSignal;
  readonly content?: { readonly size: number; readonly chunks: AsyncIterable<Uint8Array> };
  readonly take: (answer: Dispatcher.ResponseData, dog: Watchdog) => Promise<T>;
  /** Whether an error of the connection is no fault of the server's. */
  readonly forgives?: (error: unknown) => boolean;
}

export class CacheClient {
  readonly #location: ServerLocation;
  readonly #health: Health;
  readonly #patience: number;
  readonly #agent: EnvHttpProxyAgent;
  readonly #closed = new AbortController();
  /** Contents that the server did not have, although a result refers to them. */
  readonly #lost = new Set<Digest>();
  /** Bytes of bodies that arrived and were used. */
  received = 0;
  /** Bytes of bodies that the server took. */
  sent = 0;

  /** `patience`: milliseconds without progress after which a request is given up. */
  constructor(location: ServerLocation, health: Health, patience: number) {
    this.#patience = patience;
    this.#agent = new EnvHttpProxyAgent({ connections, connect: { timeout: patience } });
    this.#location = location;
    this.#health = health;
  }

  /** Reads a blob of at most `most` bytes into memory; undefined where it is not there, or longer. */
  async read(area: Area, digest: Digest, most: number, signal: AbortSignal): Promise<Uint8Array | undefined> {
    return this.#get(area, digest, signal, async (body) => {
      const chunks: Uint8Array[] = [];
      let size = 0;
      for await (const chunk of body) {
        size += chunk.length;
        if (size > most) return undefined;
        chunks.push(chunk);
      }
      this.received += size;
      return Buffer.concat(chunks);
    });
  }

  /** Brings a content into the store; false where the server does not have it, or has other bytes under its name. */
  async receive(blob: BlobReference, store: Store, signal: AbortSignal): Promise<boolean> {
    if (this.#lost.has(blob.digest)) return false;
    const isWhole = await this.#get("cas", blob.digest, signal, (body) =>
      store.receive(blob.digest, blob.size, body),
    );
    if (isWhole === true) {
      this.received += blob.size;
      return true;
    }
    this.#lost.add(blob.digest);
    if (isWhole === false)
      this.#health.warn(`the remote cache has wrong bytes for ${blob.digest}: they are not used`);
    return false;
  }

  /** Whether the server has a content; undefined where it does not tell. */
  async has(digest: Digest): Promise<boolean | undefined> {
    const take = ({ statusCode }: Dispatcher.ResponseData) => Promise.resolve(statusCode);
    const status = await this.#exchange({ method: "HEAD", area: "cas", digest, use: "write", take });
    if (status === undefined || status === 200) return status === 200 ? true : undefined;
    if (isMiss(status)) return false;
    this.#refuse(status, ["write"]);
    return undefined;
  }

  /** Sends `size` bytes; false where the server did not take them. Rejects with what `chunks` throws. */
  async put(area: Area, digest: Digest, size: number, chunks: AsyncIterable<Uint8Array>): Promise<boolean> {
    let fault: { readonly error: unknown } | undefined;
    const observed = async function* (): AsyncGenerator<Uint8Array> {
      try {
        yield* chunks;
      } catch (error) {
        fault = { error };
        throw error;
      }
    };
    const status = await this.#exchange({
      method: "PUT",
      area,
      digest,
      use: "write",
      content: { size, chunks: observed() },
      take: ({ statusCode }) => Promise.resolve(statusCode),
      forgives: () => fault !== undefined,
    });
    if (fault !== undefined) throw fault.error;
    if (status === undefined) return false;
    if (status >= 200 && status < 300) {
      this.sent += size;
      return true;
    }
    this.#refuse(status, ["write"]);
    return false;
  }

  /** Ends every connection, also those in use. */
  async close(): Promise<void> {
    this.#closed.abort(new Error("the remote cache was closed"));
    await this.#agent.destroy();
  }

  async #get<T>(
    area: Area,
    digest: Digest,
    signal: AbortSignal,
    take: (body: AsyncIterable<Uint8Array>) => Promise<T>,
  ): Promise<T | undefined> {
    let attempts = 0;
    let isBroken: boolean;
    let result: T | undefined;
    do {
      attempts += 1;
      isBroken = false;
      result = await this.#exchange({
        method: "GET",
        area,
        digest,
        use: "read",
        signal,
        take: async ({ statusCode, body }, dog) => {
          if (statusCode === 200) return take(watched(body, dog));
          if (!isMiss(statusCode)) this.#refuse(statusCode, ["read", "write"]);
          return undefined;
        },
        // A connection that was kept may have ended meanwhile: one more attempt, from the first byte.
        forgives: (error) => {
          isBroken = attempts === 1 && brokenConnections.has(systemErrorCode(error) ?? "");
          return isBroken;
        },
      });
    } while (isBroken);
    return result;
  }

  /** One request and what `take` makes of its answer, of which the rest is thrown away. Undefined where it failed. */
  async #exchange<T>(given: Exchange<T>): Promise<T | undefined> {
    const { method, area, digest, use, signal, content, take, forgives } = given;
    if (!this.#health.can(use)) return undefined;
    const { origin, path, headers } = this.#location;
    const signals = [this.#closed.signal, ...(signal === undefined ? [] : [signal])];
    // Several slow answers together may not cost more than one that never comes.
    const limit = use === "read" ? Math.min(this.#patience, this.#health.left) : this.#patience;
    const dog = new Watchdog(limit, AbortSignal.any(signals));
    let body: Dispatcher.ResponseData["body"] | undefined;
    try {
      const answer = await request(`${origin}${path}/${area}/${digest}`, {
        dispatcher: this.#agent,
        method,
        headers: { ...headers, ...(content === undefined ? {} : { "content-length": String(content.size) }) },
        ...(content === undefined ? {} : { body: Readable.from(watched(content.chunks, dog)) }),
        signal: dog.signal,
        // The watchdog is exact to the millisecond, undici's timers are not.
        headersTimeout: 0,
        bodyTimeout: 0,
      });
      body = answer.body;
      return await take(answer, dog);
    } catch (error) {
      signal?.throwIfAborted();
      if (forgives?.(error) !== true) this.#health.stop(["read", "write"], this.#explain(error, dog));
      return undefined;
    } finally {
      dog.end();
      // What is left of it would keep the connection busy.
      body?.on("error", () => {}).destroy();
    }
  }

  #explain(error: unknown, dog: Watchdog): string {
    const { shown } = this.#location;
    if (dog.isExpired) return `at ${shown} does not answer`;
    const reason = systemErrorCode(error) ?? (error instanceof Error ? error.message : String(error));
    return `at ${shown} cannot be used (${reason})`;
  }

  #refuse(status: number, uses: readonly Use[]): void {
    const { shown } = this.#location;
    const answered = `(status ${status})`;
    if (status === 401 || status === 403) this.#health.stop(uses, `at ${shown} denies access ${answered}`);
    else if (status === 413 || status === 507)
      this.#health.stop(["write"], `at ${shown} has no room ${answered}`);
    else this.#health.stop(["read", "write"], `at ${shown} is out of order ${answered}`);
  }
}

const brokenConnections: ReadonlySet<string> = new Set(["ECONNRESET", "EPIPE", "UND_ERR_SOCKET"]);

function isMiss(status: number): boolean {
  return status === 204 || status === 404;
}

async function* watched(chunks: AsyncIterable<Uint8Array>, dog: Watchdog): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    dog.progress(chunk.length);
    yield chunk;
  }
}
