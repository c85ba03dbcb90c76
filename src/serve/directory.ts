/**
 * A static file server on the loopback interface, over one directory: for clients of a source on disk that speak
 * HTTP only. It lists no directories.
 */
import { createReadStream, type Stats } from "node:fs";
import { realpath, stat } from "node:fs/promises";
import path from "node:path";
import { answerContent, answerEmpty } from "./content.ts";
import { type RequestHandler, type Server, serve } from "./server.ts";

/**
 * Serves the files below the absolute path `root` on a port that the system chooses (or on `port`), to this
 * machine only.
 */
export async function serveDirectory(
  root: string,
  options: { readonly port?: number } = {},
): Promise<Server> {
  return await serve(createFileHandler(root), options);
}

/** Answers GET and HEAD with the files below the absolute path `root`, conditional and partial requests too. */
export function createFileHandler(root: string): RequestHandler {
  return async (request, response) => {
    if (request.method !== "GET" && request.method !== "HEAD")
      return answerEmpty(response, 405, { allow: "GET, HEAD" });
    const file = await findFile(root, request.url ?? "/");
    if (file === undefined) return answerEmpty(response, 404);
    const { stats } = file;
    await answerContent(request, response, {
      size: stats.size,
      type: typeOf(file.path),
      etag: etagOf(stats),
      lastModified: new Date(stats.mtimeMs).toUTCString(),
      bytes: (start, end) => createReadStream(file.path, { start, end }),
    });
  };
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

function typeOf(file: string): string {
  return /\.(txt|dep|info|list|lst|md5|tree)$/.test(file) ? "text/plain" : "application/octet-stream";
}
