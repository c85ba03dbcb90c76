/** An HTTP server that calls one handler. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { systemErrorCode, UserError } from "../errors/index.ts";

export interface Server {
  /** `http://127.0.0.1:PORT`, without a slash at the end. */
  readonly url: string;
  readonly port: number;
  /** Ends the server and every connection to it. */
  close(): Promise<void>;
}

export type RequestHandler = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

interface ServerOptions {
  /** One that the system chooses unless given. */
  readonly port?: number;
  /** The address to listen on; 127.0.0.1 unless given. */
  readonly host?: string;
  /** A client that neither sends nor takes a byte for so many milliseconds is disconnected; no limit unless given. */
  readonly idleMs?: number;
  /** Connections at once; no limit unless given. */
  readonly mostConnections?: number;
}

/**
 * Serves whatever `handler` answers; a handler that throws ends the connection.
 * @throws UserError `serve-address` where nothing can listen there
 */
export async function serve(handler: RequestHandler, options: ServerOptions = {}): Promise<Server> {
  // Slow to load, and most of what imports this module serves nothing.
  const { createServer } = await import("node:http");
  const server = createServer((request, response) => {
    handler(request, response).catch(() => response.destroy());
  });
  // Node's own 5 s are shorter than what a busy machine's disk may keep a client from asking again.
  server.keepAliveTimeout = 60_000;
  if (options.idleMs !== undefined) server.setTimeout(options.idleMs);
  if (options.mostConnections !== undefined) server.maxConnections = options.mostConnections;
  const host = options.host ?? "127.0.0.1";
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error) => reject(refusal(error, host, options.port ?? 0)));
    server.listen(options.port ?? 0, host, resolve);
  });
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return {
    url: `http://${host.includes(":") ? `[${host}]` : host}:${port}`,
    port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** listen(2), bind(2). */
const reasons: Readonly<Record<string, readonly [why: string, hint: string]>> = {
  EADDRINUSE: ["another program listens there", "choose another port, or end that program"],
  EADDRNOTAVAIL: ["this machine does not have that address", "name one of its addresses: ip address show"],
  EACCES: ["ports below 1024 are for root", "choose another port"],
  ENOTFOUND: ["no address has this name", "name an address of this machine: ip address show"],
};

function refusal(error: Error, host: string, port: number): UserError {
  const [why, hint] = reasons[systemErrorCode(error) ?? ""] ?? [error.message, "choose another address"];
  return new UserError(`cannot listen on ${host}, port ${port}: ${why}`, {
    code: "serve-address",
    hint,
    cause: error,
  });
}
