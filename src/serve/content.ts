/** Answering a request for bytes: whole or a part, conditional or not. Where the bytes come from is another module's matter. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { parseRange } from "./range.ts";

/** What a request may get. */
interface Content {
  /** In bytes. */
  readonly size: number;
  /** A media type. */
  readonly type: string;
  /** With its quotes. */
  readonly etag: string;
  /** As an HTTP date, where there is one. */
  readonly lastModified?: string;
  /** The bytes from `first` to `last`, both included; not called for an empty content. */
  readonly bytes: (first: number, last: number) => AsyncIterable<Uint8Array>;
}

/** Answers GET and HEAD with the content, and any other method with 405. Rejects when the client leaves. */
export async function answerContent(
  request: IncomingMessage,
  response: ServerResponse,
  content: Content,
): Promise<void> {
  if (request.method !== "GET" && request.method !== "HEAD")
    return answerEmpty(response, 405, { allow: "GET, HEAD" });
  const { size, type, etag, lastModified } = content;
  const validators = { etag, ...(lastModified === undefined ? {} : { "last-modified": lastModified }) };
  if (isNotModified(request, content)) return answerEmpty(response, 304, validators);
  const range = rangeFor(request, content);
  if (range === "unsatisfiable") return answerEmpty(response, 416, { "content-range": `bytes */${size}` });
  const { first, last } = range ?? { first: 0, last: size - 1 };
  response.writeHead(range === undefined ? 200 : 206, {
    ...validators,
    "accept-ranges": "bytes",
    "content-type": type,
    "content-length": last - first + 1,
    ...(range === undefined ? {} : { "content-range": `bytes ${first}-${last}/${size}` }),
  });
  if (request.method === "HEAD" || last < first) {
    response.end();
    return;
  }
  await pipeline(Readable.from(content.bytes(first, last), { objectMode: false }), response);
}

/** Answers with a status and headers, and without a body. */
export function answerEmpty(
  response: ServerResponse,
  status: number,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(status, status === 304 ? headers : { ...headers, "content-length": "0" });
  response.end();
}

/** RFC 9110 13.2.2: If-None-Match, when present, makes If-Modified-Since of no account. */
function isNotModified(request: IncomingMessage, { etag, lastModified }: Content): boolean {
  const tags = request.headers["if-none-match"];
  if (tags !== undefined) {
    const known = tags.split(",").map((tag) => tag.trim().replace(/^W\//, ""));
    return known.includes("*") || known.includes(etag);
  }
  const since = Date.parse(request.headers["if-modified-since"] ?? "");
  return lastModified !== undefined && !Number.isNaN(since) && Date.parse(lastModified) <= since;
}

function rangeFor(request: IncomingMessage, { etag, lastModified, size }: Content) {
  const condition = request.headers["if-range"];
  const holds = condition === undefined || condition === etag || condition === lastModified;
  return holds ? parseRange(request.headers.range, size) : undefined;
}
