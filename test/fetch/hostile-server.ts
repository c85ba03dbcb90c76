/**
 * A static server that misbehaves on demand and remembers every request: what the tests download from.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { createFileHandler, type RequestHandler, serve } from "../../src/serve/index.ts";

/** Answers one request in place of the file handler; `next` is the file handler itself. */
export type Fault = (
  request: IncomingMessage,
  response: ServerResponse,
  next: () => Promise<void>,
) => unknown;

export interface HostileServer {
  readonly url: string;
  /** `GET /path` (and ` range` for partial requests), in order of arrival. */
  readonly log: string[];
  /** Sockets that were ever opened. */
  readonly connections: () => number;
  /** The next requests for `path` meet these faults, one each; `always` is met by all that follow. */
  fail(path: string, ...faults: readonly Fault[]): void;
  always(path: string, fault: Fault): void;
  /** No more faults. */
  recover(): void;
  close(): Promise<void>;
}

export async function startHostileServer(root: string): Promise<HostileServer> {
  const files: RequestHandler = createFileHandler(root);
  const queued = new Map<string, Fault[]>();
  const permanent = new Map<string, Fault>();
  const log: string[] = [];
  const sockets = new WeakSet<object>();
  let opened = 0;
  const server = await serve(async (request, response) => {
    if (!sockets.has(request.socket)) opened += 1;
    sockets.add(request.socket);
    const path = request.url ?? "";
    log.push(`${request.method} ${path}${request.headers.range === undefined ? "" : " range"}`);
    const fault = queued.get(path)?.shift() ?? permanent.get(path);
    const next = () => files(request, response);
    if (fault === undefined) await next();
    else await fault(request, response, next);
  });
  return {
    url: server.url,
    log,
    connections: () => opened,
    fail: (path, ...faults) => void queued.set(path, [...(queued.get(path) ?? []), ...faults]),
    always: (path, fault) => void permanent.set(path, fault),
    recover() {
      queued.clear();
      permanent.clear();
    },
    close: server.close,
  };
}

/** Answers with a status and nothing else. */
export function status(code: number, headers: Readonly<Record<string, string>> = {}): Fault {
  return (_request, response) => void response.writeHead(code, headers).end();
}

/** Answers with these bytes. */
export function content(body: string | Buffer, headers: Readonly<Record<string, string>> = {}): Fault {
  return (_request, response) => void response.writeHead(200, headers).end(body);
}

/** Announces all of `body`, sends `length` bytes of it and resets the connection. */
export function cutOff(body: Buffer, length: number, headers: Readonly<Record<string, string>> = {}): Fault {
  return (_request, response) => {
    response.writeHead(200, { "content-length": String(body.length), ...headers });
    response.write(body.subarray(0, length), () => response.socket?.resetAndDestroy());
  };
}

/** Accepts the request and never answers; with `body`, sends that much of the answer first. */
export function stall(body = ""): Fault {
  return (_request, response) => {
    if (body === "") return;
    response.writeHead(200, { "content-length": "1000000" });
    response.write(body);
  };
}

/** Sends without end. */
export const endless: Fault = (_request, response) => {
  const chunk = Buffer.alloc(65_536, "x");
  const more = (): void => {
    while (!response.destroyed && response.write(chunk));
  };
  response.on("drain", more);
  more();
};

/** Writes raw bytes to the socket, HTTP or not. */
export function raw(text: string): Fault {
  return (_request, response) => {
    response.socket?.end(text);
    response.detachSocket(response.socket as NonNullable<typeof response.socket>);
  };
}
