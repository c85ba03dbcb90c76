/** A server of the HTTP cache protocol in memory, which can be told to misbehave. Written from the protocol, not from the client. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** What becomes of a request; true when it was answered, or is left without an answer. */
export type Fault = (request: IncomingMessage, response: ServerResponse, key: string) => boolean;

export interface CacheServer {
  /** The base, without a slash at its end. */
  readonly url: string;
  /** `ac/DIGEST` or `cas/DIGEST`, and what is stored. */
  readonly blobs: Map<string, Buffer>;
  /** `METHOD KEY` of each request so far. */
  readonly requests: string[];
  fault: Fault | undefined;
  close(): Promise<void>;
}

export async function startCacheServer(): Promise<CacheServer> {
  const blobs = new Map<string, Buffer>();
  const requests: string[] = [];
  const server = createServer((request, response) => {
    const key = /^\/base\/((?:ac|cas)\/[0-9a-f]{64})$/.exec(request.url ?? "")?.[1];
    requests.push(`${request.method} ${key ?? request.url}`);
    if (key === undefined) return void response.writeHead(400).end();
    if (cache.fault?.(request, response, key) === true) return;
    if (request.method === "PUT") return void receive(request, response, key);
    const blob = blobs.get(key);
    if (blob === undefined) return void response.writeHead(404).end();
    response.writeHead(200, { "content-length": blob.length });
    response.end(request.method === "HEAD" ? undefined : blob);
  });
  const receive = async (request: IncomingMessage, response: ServerResponse, key: string): Promise<void> => {
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of request) chunks.push(chunk as Buffer);
    } catch {
      return;
    }
    const bytes = Buffer.concat(chunks);
    if (request.headers["content-length"] !== String(bytes.length)) return void response.writeHead(411).end();
    blobs.set(key, bytes);
    response.writeHead(201).end();
  };
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const cache: CacheServer = {
    url: `http://127.0.0.1:${port}/base`,
    blobs,
    requests,
    fault: undefined,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return cache;
}
