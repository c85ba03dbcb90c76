// A static HTTP server on the loopback interface that can be as far away and as slow as a real mirror.
import { once } from "node:events";
import { open } from "node:fs/promises";
import { createServer } from "node:http";
import path from "node:path";

/**
 * @typedef {object} Server
 * @property {string} url Without a slash at the end.
 * @property {string[]} log Path of every request that was answered with content, in order.
 * @property {() => Promise<void>} close
 */

const chunkSize = 32 * 1024;

/**
 * Serves the files below `root`. `latencyMs` passes before each answer, and once more on a new connection, for the
 * handshake; `bytesPerSecond` is what one connection carries.
 * @param {string} root Absolute path.
 * @param {{ latencyMs?: number, bytesPerSecond?: number }} [limits]
 * @returns {Promise<Server>}
 */
export async function startServer(root, { latencyMs = 0, bytesPerSecond = Number.POSITIVE_INFINITY } = {}) {
  /** @type {string[]} */
  const log = [];
  /** When a connection is free to carry more, in milliseconds of `performance.now()`. @type {WeakMap<object, number>} */
  const freeAt = new WeakMap();

  /**
   * @param {import("node:http").IncomingMessage} request
   * @param {import("node:http").ServerResponse} response
   */
  async function answer(request, response) {
    const { socket } = request;
    const known = freeAt.has(socket);
    await until(performance.now() + latencyMs * (known ? 1 : 2));
    if (!known) freeAt.set(socket, performance.now());
    const name = decodeURIComponent(new URL(request.url ?? "/", "http://localhost").pathname);
    const file = await open(path.join(root, path.posix.normalize(name))).catch(() => undefined);
    try {
      const status = await file?.stat();
      if (file === undefined || status?.isFile() !== true) {
        response.writeHead(404).end();
        return;
      }
      const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? "");
      const start = Number(range?.[1] ?? 0);
      const end = range?.[2] ? Math.min(Number(range[2]), status.size - 1) : status.size - 1;
      response.writeHead(range === null ? 200 : 206, {
        "accept-ranges": "bytes",
        "content-length": end - start + 1,
        "last-modified": status.mtime.toUTCString(),
        etag: `"${status.size}-${Math.trunc(status.mtimeMs)}"`,
        ...(range === null ? {} : { "content-range": `bytes ${start}-${end}/${status.size}` }),
      });
      log.push(name);
      if (request.method !== "HEAD") await send(file, response, socket, start, end);
      response.end();
    } finally {
      await file?.close();
    }
  }

  /**
   * @param {import("node:fs/promises").FileHandle} file
   * @param {import("node:http").ServerResponse} response
   * @param {object} socket
   * @param {number} start
   * @param {number} end Inclusive.
   */
  async function send(file, response, socket, start, end) {
    for (let position = start; position <= end && !response.destroyed; position += chunkSize) {
      const size = Math.min(chunkSize, end + 1 - position);
      const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(size), 0, size, position);
      await until(freeAt.get(socket) ?? 0);
      const from = Math.max(performance.now(), freeAt.get(socket) ?? 0);
      freeAt.set(socket, from + (bytesRead / bytesPerSecond) * 1000);
      if (!response.write(buffer.subarray(0, bytesRead))) await drained(response);
    }
    // The last bytes are there only when the connection has carried them.
    await until(freeAt.get(socket) ?? 0);
  }

  const server = createServer((request, response) => {
    answer(request, response).catch(() => response.destroy());
  });
  server.keepAliveTimeout = 60_000;
  await /** @type {Promise<void>} */ (new Promise((resolve) => server.listen(0, "127.0.0.1", resolve)));
  const address = server.address();
  const port = typeof address === "object" ? address?.port : undefined;
  return {
    url: `http://127.0.0.1:${port}`,
    log,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** @param {number} time In milliseconds of `performance.now()`. */
async function until(time) {
  const left = time - performance.now();
  if (left > 0) await new Promise((resolve) => setTimeout(resolve, left));
}

/** @param {import("node:http").ServerResponse} response */
async function drained(response) {
  const done = new AbortController();
  const closed = response.closed ? Promise.resolve() : once(response, "close", { signal: done.signal });
  const drain = once(response, "drain", { signal: done.signal });
  // Both are listened to once only: the one that did not come is let go of.
  drain.catch(() => {});
  closed.catch(() => {});
  await Promise.race([drain, closed]);
  done.abort();
}
