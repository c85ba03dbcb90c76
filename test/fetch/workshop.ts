/**
 * A temporary directory with a hostile mirror and transports whose clock never really waits.
 */
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { type Clock, type FetchEvent, Transport, type TransportOptions } from "../../src/fetch/index.ts";
import { type HostileServer, startHostileServer } from "./hostile-server.ts";

export interface Workshop {
  /** Absolute paths; their names have a space. */
  readonly dir: string;
  readonly root: string;
  readonly out: string;
  readonly server: HostileServer;
  readonly events: FetchEvent[];
  /** What every back-off asked for, in milliseconds. */
  readonly waits: number[];
  readonly clock: Clock;
  transport(options?: Partial<TransportOptions>): Transport;
  /** Writes a file below the server's root. */
  put(name: string, bytes: string | Buffer): Promise<void>;
  /** Names in `out`, hidden ones too. */
  outputs(): Promise<readonly string[]>;
  close(): Promise<void>;
}

export async function openWorkshop(): Promise<Workshop> {
  const dir = await mkdtemp(path.join(tmpdir(), "razor mk fetch "));
  const root = path.join(dir, "mirror root");
  const out = path.join(dir, "out put");
  await mkdir(root);
  await mkdir(out);
  const server = await startHostileServer(root);
  const events: FetchEvent[] = [];
  const waits: number[] = [];
  const transports: Transport[] = [];
  let now = 1_600_000_000_000;
  const clock: Clock = {
    now: () => now,
    async sleep(ms, signal) {
      signal?.throwIfAborted();
      waits.push(ms);
      now += ms;
    },
  };
  return {
    dir,
    root,
    out,
    server,
    events,
    waits,
    clock,
    transport(options = {}) {
      const transport = new Transport({
        env: {},
        clock,
        random: () => 0.5,
        onEvent: (event) => events.push(event),
        ...options,
        limits: { connectMs: 2000, idleMs: 400, ...options.limits },
      });
      transports.push(transport);
      return transport;
    },
    async put(name, bytes) {
      const file = path.join(root, name);
      await mkdir(path.dirname(file), { recursive: true });
      await writeFile(file, bytes);
    },
    async outputs() {
      return (await readdir(out)).sort();
    },
    async close() {
      await Promise.all(transports.map((transport) => transport.close()));
      await server.close();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

/** The error that a promise rejects with; fails when it does not. */
export async function rejection(
  promise: Promise<unknown>,
): Promise<Error & { code?: string; where?: string; hint?: string }> {
  try {
    await promise;
  } catch (error) {
    return error as Error;
  }
  throw new Error("expected a rejection, but it succeeded");
}
