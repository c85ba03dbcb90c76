/** The files of a directory over HTTP, on loopback. */
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import path from "node:path";

export interface FileServer {
  /** With a slash at its end. */
  readonly url: string;
  /** The paths that were asked for, in order. */
  readonly asked: readonly string[];
  close(): Promise<void>;
}

/**
 * Serves `root` (absolute) until it is closed. `pathOf` gives the path in it for what is asked for: a path, or the URL where the server
 * is asked as a proxy.
 */
export async function serveDirectory(
  root: string,
  pathOf: (asked: string) => string = (asked) => asked,
): Promise<FileServer> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    const name = decodeURI(request.url ?? "/");
    asked.push(name);
    readFile(path.join(root, path.normalize(`/${pathOf(name)}`))).then(
      (bytes) => response.end(bytes),
      () => response.writeHead(404).end(),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the server has no port");
  return {
    url: `http://127.0.0.1:${address.port}/`,
    asked,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
