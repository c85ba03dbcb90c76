/** The machines that checked in: what they said of themselves, and what they will be told. Kept in memory, within limits. */

/** What a machine may be ordered to do at its next check-in. */
export const orders = ["reboot", "poweroff"] as const;
type Order = (typeof orders)[number];

export interface Machine {
  /** Addresses of its cards, `525400123456_525400123499`. */
  readonly id: string;
  /** The address that it asked from. */
  readonly address: string;
  readonly firstSeen: Date;
  readonly lastSeen: Date;
  readonly checkins: number;
  /** Undefined until it registered. */
  readonly facts: Readonly<Record<string, string>> | undefined;
  readonly registered: Date | undefined;
  /** What it is told at its next check-in. */
  readonly order: Order | undefined;
}

/** Machines that are remembered; the one that was silent for longest is forgotten first. */
const most = 500;
/** Bytes of all facts together. */
const mostFacts = 64 * 1024 * 1024;

export class Machines {
  /** Last seen last. */
  readonly #machines = new Map<string, Machine & { readonly weight: number }>();
  readonly #now: () => Date;
  #weight = 0;

  constructor(now: () => Date) {
    this.#now = now;
  }

  /** A machine checks in; returns what it was ordered to do, which is done with that. */
  checkIn(id: string, address: string): Order | undefined {
    const order = this.#machines.get(id)?.order;
    const checkins = (this.#machines.get(id)?.checkins ?? 0) + 1;
    this.#update(id, { address, checkins, order: undefined });
    return order;
  }

  register(id: string, address: string, facts: Readonly<Record<string, string>>): void {
    this.#update(id, { address, facts, registered: this.#now() });
  }

  /** A machine that nobody knows is told nothing. */
  order(id: string, order: Order): void {
    const known = this.#machines.get(id);
    if (known !== undefined) this.#machines.set(id, { ...known, order });
  }

  get(id: string): Machine | undefined {
    return this.#machines.get(id);
  }

  /** Whether it registered. */
  isRegistered(id: string): boolean {
    return this.#machines.get(id)?.facts !== undefined;
  }

  /** Last seen first. */
  get all(): readonly Machine[] {
    return [...this.#machines.values()].map(({ weight: _, ...machine }) => machine).reverse();
  }

  #update(id: string, change: Partial<Machine>): void {
    const now = this.#now();
    const before = this.#machines.get(id);
    const known = before ?? {
      ...{ id, address: "", firstSeen: now, checkins: 0, weight: 0 },
      ...{ facts: undefined, registered: undefined, order: undefined },
    };
    this.#forget(id);
    const weight = change.facts === undefined ? known.weight : JSON.stringify(change.facts).length;
    this.#machines.set(id, { ...known, ...change, lastSeen: now, weight });
    this.#weight += weight;
    for (const [oldest] of this.#machines) {
      if (oldest === id || (this.#machines.size <= most && this.#weight <= mostFacts)) break;
      this.#forget(oldest);
    }
  }

  #forget(id: string): void {
    this.#weight -= this.#machines.get(id)?.weight ?? 0;
    this.#machines.delete(id);
  }
}
