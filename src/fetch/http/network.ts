/**
 * Connections, and how many downloads may use them at once. Transports of several steps share one, so that the limits
 * hold for all of them together and a connection that one opened serves the next. It downloads nothing.
 */
import { Attempts } from "./attempts.ts";
import { Connections } from "./connections.ts";
import { defaultLimits, type TransportLimits } from "./download.ts";
import type { Environment } from "./proxy.ts";
import { Reclaimer } from "./reclaim.ts";
import { Slots } from "./slots.ts";

export class Network {
  readonly limits: TransportLimits;
  readonly slots: Slots;
  readonly connections: Connections;
  readonly attempts = new Attempts();
  readonly reclaimer = new Reclaimer();

  /** Proxies are read from `env`, and nothing else is. */
  constructor(env: Environment, limits: Partial<TransportLimits> = {}) {
    this.limits = { ...defaultLimits, ...limits };
    this.slots = new Slots(this.limits.overall, this.limits.perOrigin);
    this.connections = new Connections(env, this.limits);
  }

  /** Ends all connections. */
  async close(): Promise<void> {
    await this.connections.close();
  }
}
