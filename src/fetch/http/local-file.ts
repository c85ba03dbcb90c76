/**
 * Taking a file from a directory source as if it had been downloaded. It opens no socket.
 */
import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { systemErrorCode, UserError } from "../../errors/index.ts";
import type { DownloadRequest } from "./download.ts";
import type { Sink } from "./sink.ts";

/** Copies the file at the absolute `path` into the sink; false when it does not exist and is optional. */
export async function copyLocal(
  path: string,
  request: DownloadRequest,
  sink: Sink,
  limits: { readonly maxBytes: number },
  progress: (total: number) => void,
): Promise<boolean> {
  const file = await openLocal(path, request);
  if (file === undefined) return false;
  try {
    const stats = await file.stat();
    if (!stats.isFile()) {
      throw new UserError(`${request.name} is not a file`, {
        code: "not-a-file",
        hint: "name a file",
        where: path,
      });
    }
    if (stats.size > limits.maxBytes) {
      throw new UserError(`${request.name} is larger than the limit of ${limits.maxBytes} bytes`, {
        code: "too-large",
        hint: "check that this is the intended file",
        where: path,
      });
    }
    for await (const chunk of file.createReadStream({ autoClose: false })) {
      request.signal?.throwIfAborted();
      await sink.write(chunk as Buffer);
      progress(stats.size);
    }
    return true;
  } finally {
    await file.close();
  }
}

async function openLocal(path: string, request: DownloadRequest) {
  try {
    // A pipe would be waited for here, before it could be told from a file.
    return await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    const code = systemErrorCode(error);
    const missing = code === "ENOENT" || code === "ENOTDIR";
    if (missing && request.optional === true) return undefined;
    throw new UserError(`cannot read ${request.name}: ${missing ? `${path} does not exist` : code}`, {
      code: missing ? "not-found" : "cannot-read",
      where: request.where ?? path,
      ...(missing ? { hint: "check the name, and whether the source is complete" } : {}),
      cause: error,
    });
  }
}
