/**
 * Kept-alive connections per origin, direct or through a proxy, each used by one request at a time. It does
 * not know what is requested, nor how many requests there may be at once: the requester holds a slot.
 */
// Makes the declarations visible to projects that use this package, whatever files their configuration includes.
/// <reference path="./undici-parts.d.ts" />
import type { buildConnector, Dispatcher } from "undici";
import { InterimFilter } from "./interim-answers.ts";
import { type Environment, type ProxyServer, proxyFor } from "./proxy.ts";

interface ConnectionLimits {
  /** Milliseconds to establish a connection, and between two bytes of an answer. */
  readonly connectMs: number;
  readonly idleMs: number;
}

/** One connection, opened at its first use and again whenever it was lost. */
export interface Lane {
  readonly proxy: ProxyServer | undefined;
  request(options: Dispatcher.RequestOptions): Promise<Dispatcher.ResponseData>;
  /** Forgets what the connection did before, to be called as a request begins. */
  begin(): void;
  /** Whether the server sent bytes behind the end of the answer that was just read. */
  hasExcess(): Promise<boolean>;
  /** Ends it, also when it is in use. */
  destroy(): Promise<void>;
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
    await Promise.all(lanes.map((lane) => lane.destroy()));
  }

  async #open(url: URL): Promise<Lane> {
    const proxy = proxyFor(url, this.#env);
    const open = proxy === undefined ? await loadDirect() : await loadProxied(proxy);
    if (this.#closed) throw new Error("no connection is opened after the transport was closed");
    const filter = new InterimFilter();
    const lane = observe(open(url, this.#limits, filter), proxy, filter);
    this.#all.add(lane);
    return lane;
  }
}

type Open = (url: URL, limits: ConnectionLimits, filter: InterimFilter) => Dispatcher;

/** The whole of undici takes several times as long to load as the part of it that a direct connection needs. */
async function loadDirect(): Promise<Open> {
  const { default: Client } = await import("undici/lib/dispatcher/client.js");
  const { default: buildConnector } = await import("undici/lib/core/connect.js");
  return ({ origin }, { connectMs, idleMs }, filter) =>
    new Client(origin, {
      headersTimeout: idleMs,
      bodyTimeout: idleMs,
      connect: filtered(buildConnector({ timeout: connectMs }), filter),
    });
}

async function loadProxied(proxy: ProxyServer): Promise<Open> {
  const { Pool, ProxyAgent } = await import("undici");
  return (_url, { connectMs, idleMs }, filter) => {
    const timeouts = { headersTimeout: idleMs, bodyTimeout: idleMs };
    return new ProxyAgent({
      ...timeouts,
      uri: proxy.url,
      ...(proxy.authorization === undefined ? {} : { token: proxy.authorization }),
      // Proxies commonly refuse CONNECT to anything but port 443, so http is not tunnelled.
      proxyTunnel: false,
      proxyTls: { timeout: connectMs },
      requestTls: { timeout: connectMs },
      // The agent does not hand its time limits on to the clients that it makes by itself.
      clientFactory: (origin, options) => new Pool(origin, { ...options, ...timeouts }),
      factory: (origin, options: { readonly connect?: buildConnector.connector }) =>
        new Pool(origin, {
          ...options,
          ...timeouts,
          ...(options.connect === undefined ? {} : { connect: filtered(options.connect, filter) }),
        }),
    });
  };
}

/** A connector whose sockets leave out interim answers. */
function filtered(connect: buildConnector.connector, filter: InterimFilter): buildConnector.connector {
  return (options, callback) =>
    connect(options, (...result) => {
      // A failure comes without a second argument, whatever the types say.
      if (result[1]) filter.attach(result[1]);
      callback(...result);
    });
}

function observe(dispatcher: Dispatcher, proxy: ProxyServer | undefined, filter: InterimFilter): Lane {
  let excess = false;
  dispatcher.on("disconnect", (_origin, _targets, error) => {
    // This is how undici treats bytes that come when no answer is awaited.
    if (error.message === "bad response") excess = true;
  });
  return {
    proxy,
    async request(options) {
      const { default: request } = await import("undici/lib/api/api-request.js");
      return await request.call(dispatcher, options);
    },
    destroy: () => dispatcher.destroy(),
    begin() {
      excess = false;
      filter.begin();
    },
    async hasExcess() {
      // The bytes are found while the answer is parsed, but a socket tells of its end one turn later.
      await new Promise(setImmediate);
      await new Promise(setImmediate);
      return excess;
    },
  };
}
