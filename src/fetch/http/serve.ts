/**
 * A static file server on the loopback interface, over one directory: how a source on disk is offered to what
 * speaks HTTP only. It lists no directories and knows nothing of what the files are.
 */
import { createReadStream, type Stats } from "node:fs";
import { realpath, stat } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import path from "node:path";
import { pipeline } from "node:stream/promises";
import { parseRange } from "./range.ts";

export interface StaticServer {
  /** `http://127.0.0.1:PORT`, without a slash at the end. */
  readonly url: string;
  /** Ends the server and every connection to it. */
  close(): Promise<void>;
}

export type RequestHandler = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

/**
 * Serves the files below the absolute path `root` on a port that the system chooses (or on `port`), to this
 * machine only.
 */
export async function serveDirectory(
  root: string,
  options: { readonly port?: number } = {},
): Promise<StaticServer> {
  return await serve(createFileHandler(root), options);
}

/** Serves whatever `handler` answers; a handler that throws ends the connection. */
export async function serve(
  handler: RequestHandler,
  options: { readonly port?: number } = {},
): Promise<StaticServer> {
  // Not needed to fetch from anywhere else, and slow to load.
  const { createServer } = await import("node:http");
  const server = createServer((request, response) => {
    handler(request, response).catch(() => response.destroy());
  });
  // Node's own 5 s are shorter than what a busy machine's disk may keep a client from asking again.
  server.keepAliveTimeout = 60_000;
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port ?? 0, "127.0.0.1", resolve);
  });
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : options.port;
  return {
    url: `http://127.0.0.1:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Answers GET and HEAD with the files below the absolute path `root`, conditional and partial requests too. */
export function createFileHandler(root: string): RequestHandler {
  return async (request, response) => {
    if (request.method !== "GET" && request.method !== "HEAD") {
      return end(response, 405, { allow: "GET, HEAD" });
    }
    const file = await findFile(root, request.url ?? "/");
    if (file === undefined) return end(response, 404, {});
    const { stats } = file;
    const validators = { etag: etagOf(stats), "last-modified": new Date(stats.mtimeMs).toUTCString() };
    if (isNotModified(request, validators)) return end(response, 304, validators);
    const headers = { ...validators, "accept-ranges": "bytes", "content-type": typeOf(file.path) };
    const range = rangeFor(request, validators, stats.size);
    if (range === "unsatisfiable") {
      return end(response, 416, { "content-range": `bytes */${stats.size}` });
    }
    const { first, last } = range ?? { first: 0, last: stats.size - 1 };
    response.writeHead(range === undefined ? 200 : 206, {
      ...headers,
      "content-length": last - first + 1,
      ...(range === undefined ? {} : { "content-range": `bytes ${first}-${last}/${stats.size}` }),
    });
    if (request.method === "HEAD" || last < first) {
      response.end();
      return;
    }
    await pipeline(createReadStream(file.path, { start: first, end: last }), response);
  };
}

interface Validating {
  readonly etag: string;
  readonly "last-modified": string;
}

function end(response: ServerResponse, status: number, headers: Readonly<Record<string, string>>): void {
  response.writeHead(status, status === 304 ? headers : { ...headers, "content-length": "0" });
  response.end();
}

/** The regular file that a request's path names, unless it lies outside `root`, be it through a link. */
async function findFile(
  root: string,
  requestPath: string,
): Promise<{ readonly path: string; readonly stats: Stats } | undefined> {
  try {
    const name = decodeURIComponent(requestPath.replace(/[?#].*$/s, ""));
    if (name.includes("\0") || name.split("/").includes("..")) return undefined;
    const top = await realpath(root);
    const real = await realpath(path.join(top, name));
    if (!real.startsWith(`${top}${path.sep}`)) return undefined;
    const stats = await stat(real);
    return stats.isFile() ? { path: real, stats } : undefined;
  } catch {
    return undefined;
  }
}

function etagOf(stats: Stats): string {
  return `"${stats.size.toString(16)}-${Math.round(stats.mtimeMs * 1000).toString(16)}"`;
}

/** RFC 9110 13.2.2: If-None-Match, when present, makes If-Modified-Since of no account. */
function isNotModified(request: IncomingMessage, validators: Validating): boolean {
  const tags = request.headers["if-none-match"];
  if (tags !== undefined) {
    const known = tags.split(",").map((tag) => tag.trim().replace(/^W\//, ""));
    return known.includes("*") || known.includes(validators.etag);
  }
  const since = Date.parse(request.headers["if-modified-since"] ?? "");
  return !Number.isNaN(since) && Date.parse(validators["last-modified"]) <= since;
}

function rangeFor(request: IncomingMessage, validators: Validating, size: number) {
  const condition = request.headers["if-range"];
  const holds =
    condition === undefined || condition === validators.etag || condition === validators["last-modified"];
  return holds ? parseRange(request.headers.range, size) : undefined;
}

function typeOf(file: string): string {
  return /\.(txt|dep|info|list|lst|md5|tree)$/.test(file) ? "text/plain" : "application/octet-stream";
}
