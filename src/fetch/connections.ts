/**
 * Kept-alive connections per origin, direct or through a proxy, each used by one request at a time. It does
 * not know what is requested, nor how many requests there may be at once: whoever asks holds a slot.
 */
import type { Dispatcher } from "undici";
import { type Environment, type ProxyServer, proxyFor } from "./proxy.ts";

export interface ConnectionLimits {
  /** Milliseconds to establish a connection, and between two bytes of an answer. */
  readonly connectMs: number;
  readonly idleMs: number;
}

/** One connection, opened at its first use and again whenever it was lost. */
export interface Lane {
  readonly dispatcher: Dispatcher;
  readonly proxy: ProxyServer | undefined;
  /** Forgets what the connection did before, to be called as a request begins. */
  begin(): void;
  /** Whether the server sent bytes behind the end of the answer that was just read. */
  hasExcess(): Promise<boolean>;
}

export class Connections {
  readonly #env: Environment;
  readonly #limits: ConnectionLimits;
  readonly #idle = new Map<string, Lane[]>();
  readonly #all = new Set<Lane>();
  #closed = false;

  constructor(env: Environment, limits: ConnectionLimits) {
    this.#env = env;
    this.#limits = limits;
  }

  /** Lends a connection to the URL's origin to `work`; it is kept for the next one to the same origin. */
  async lend<T>(url: URL, work: (lane: Lane) => Promise<T>): Promise<T> {
    const idle = this.#idle.get(url.origin) ?? [];
    this.#idle.set(url.origin, idle);
    const lane = idle.pop() ?? (await this.#open(url));
    try {
      return await work(lane);
    } finally {
      idle.push(lane);
    }
  }

  /** Ends every connection, also those in use. */
  async close(): Promise<void> {
    this.#closed = true;
    const lanes = [...this.#all];
    this.#all.clear();
    this.#idle.clear();
    await Promise.all(lanes.map((lane) => lane.dispatcher.destroy()));
  }

  async #open(url: URL): Promise<Lane> {
    const { Client, ProxyAgent } = await import("undici");
    if (this.#closed) throw new Error("no connection is opened after the transport was closed");
    const { connectMs, idleMs } = this.#limits;
    const proxy = proxyFor(url, this.#env);
    const limits = { headersTimeout: idleMs, bodyTimeout: idleMs };
    const dispatcher =
      proxy === undefined
        ? new Client(url.origin, { ...limits, connect: { timeout: connectMs } })
        : new ProxyAgent({
            ...limits,
            uri: proxy.url,
            ...(proxy.authorization === undefined ? {} : { token: proxy.authorization }),
            // Proxies commonly refuse CONNECT to anything but port 443, so http is not tunnelled.
            proxyTunnel: false,
            proxyTls: { timeout: connectMs },
            requestTls: { timeout: connectMs },
          });
    const lane = observe(dispatcher, proxy);
    this.#all.add(lane);
    return lane;
  }
}

function observe(dispatcher: Dispatcher, proxy: ProxyServer | undefined): Lane {
  let excess = false;
  dispatcher.on("disconnect", (_origin, _targets, error) => {
    // This is how undici treats bytes that come when no answer is awaited.
    if (error.message === "bad response") excess = true;
  });
  return {
    dispatcher,
    proxy,
    begin() {
      excess = false;
    },
    async hasExcess() {
      // The bytes are found while the answer is parsed, but a socket tells of its end one turn later.
      await new Promise(setImmediate);
      await new Promise(setImmediate);
      return excess;
    },
  };
}
