/** The boot server: scripts, kernels and initrds for anybody; the page and orders for who knows the token. */
import { timingSafeEqual } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { printable } from "../errors/index.ts";
import type { BootImage } from "./boot-image.ts";
import { bootScript, embeddedScript, menuScript } from "./boot-script.ts";
import { answerContent, answerEmpty } from "./content.ts";
import { Machines, orders } from "./machines.ts";
import { renderMachine, renderPage } from "./page.ts";
import { answerRazor, isRazorPath, type MachineEvent } from "./razor.ts";
import { type Server, serve } from "./server.ts";
import { Shelf } from "./shelf.ts";

/** What somebody may want to be told. */
export type ServeEvent =
  | { readonly type: "boot"; readonly variant: string; readonly address: string }
  | ({ readonly type: "machine" } & MachineEvent);

interface BootServerOptions {
  readonly host: string;
  readonly port: number;
  /** Whether Microkernels may check in. */
  readonly checkIn: boolean;
  /** A secret that is in no script; for its page. */
  readonly token: string;
  /** The variant that is started unless another one is chosen. */
  readonly first: string;
  readonly now: () => Date;
}

/** A client that takes nothing for so long is no machine that boots. */
const idleMs = 60_000;
/** Each connection takes up a file descriptor. */
const mostConnections = 1000;

/** What the page may do: nothing but show itself and send its own forms. */
const pageHeaders = {
  "content-security-policy":
    "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
  "referrer-policy": "no-referrer",
  "cache-control": "no-store",
} as const;

export class BootServer {
  readonly #options: BootServerOptions;
  readonly #shelf = new Shelf();
  readonly machines: Machines | undefined;
  #server: Server | undefined;
  /** Called with each event. A watch sets it anew when it goes on with changed code. */
  onEvent: (event: ServeEvent) => void = () => {};

  private constructor(options: BootServerOptions) {
    this.#options = options;
    this.machines = options.checkIn ? new Machines(options.now) : undefined;
  }

  /** @throws UserError `serve-address` where nothing can listen there */
  static async open(options: BootServerOptions): Promise<BootServer> {
    const server = new BootServer(options);
    const { host, port } = options;
    server.#server = await serve((request, response) => server.#answer(request, response), {
      ...{ host, port, idleMs, mostConnections },
    });
    return server;
  }

  get port(): number {
    return this.#server?.port ?? 0;
  }

  /** `http://127.0.0.1:PORT`, without a slash at the end. */
  get url(): string {
    return this.#server?.url ?? "";
  }

  /**
   * From now on these images are served, and no others. Returns the variants whose image is another one than before. Rejects when a
   * file cannot be opened; the images before it are served then.
   */
  async publish(images: readonly BootImage[]): Promise<readonly string[]> {
    const variants = images.map(({ variant }) => variant);
    const changed: string[] = [];
    for (const image of images) if (await this.#shelf.put(image)) changed.push(image.variant);
    for (const { variant } of this.#shelf.images)
      if (!variants.includes(variant)) await this.#shelf.remove(variant);
    return changed;
  }

  async close(): Promise<void> {
    await this.#server?.close();
    await this.#shelf.close();
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = parseTarget(request.url);
    if (url === undefined) return answerEmpty(response, 400);
    const { pathname } = url;
    if (pathname === "/boot.ipxe") return await this.#answerScript(request, response, url);
    if (pathname === "/embed.ipxe")
      return await answerText(request, response, embeddedScript(`http://${hostOf(request)}`));
    const file = /^\/files\/([0-9a-f]{64})\/([^/]+)$/.exec(pathname);
    if (file !== null) return await this.#answerFile(request, response, file[1] ?? "", file[2] ?? "");
    if (this.machines !== undefined && isRazorPath(pathname)) {
      return await answerRazor(request, response, this.machines, (event) =>
        this.onEvent({ type: "machine", ...event }),
      );
    }
    if (this.#isKnown(url)) return await this.#answerPage(request, response, url);
    if (pathname === "/")
      return await answerText(
        request,
        response,
        "The page's address has a token: task serve prints it.\n",
        403,
      );
    answerEmpty(response, 404);
  }

  /** The menu where there is a choice and none was made. */
  async #answerScript(request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
    const images = [...this.#shelf.images].sort(
      (a, b) => Number(b.variant === this.#options.first) - Number(a.variant === this.#options.first),
    );
    if (images.length === 0)
      return await answerText(request, response, "Nothing is built yet: try again.\n", 503);
    const asked = url.searchParams.get("variant");
    if (asked === null && images.length > 1)
      return await answerText(request, response, menuScript(images.map(({ variant }) => variant)));
    const image = asked === null ? images[0] : images.find(({ variant }) => variant === asked);
    if (image === undefined) {
      const there = images.map(({ variant }) => variant).join(", ");
      return await answerText(request, response, `This variant is not built; there are: ${there}\n`, 404);
    }
    // Otherwise a Microkernel would ask the DHCP server where its server is.
    const host = hostOf(request);
    const more = this.machines === undefined || host === undefined ? [] : [`razor.ip=${host}`];
    if (request.method === "GET")
      this.onEvent({
        ...{ type: "boot", variant: image.variant, address: request.socket.remoteAddress ?? "" },
      });
    await answerText(request, response, bootScript(image, more));
  }

  async #answerFile(
    request: IncomingMessage,
    response: ServerResponse,
    sha256: string,
    name: string,
  ): Promise<void> {
    const file = this.#shelf.find(sha256, name);
    if (file === undefined) return answerEmpty(response, 404);
    file.retain();
    try {
      await answerContent(request, response, {
        ...{ size: file.size, type: "application/octet-stream", etag: `"${sha256}"` },
        bytes: (first, last) => file.read(first, last),
      });
    } finally {
      await file.release();
    }
  }

  async #answerPage(request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
    const { token } = this.#options;
    const { machines } = this;
    if (url.pathname === "/") {
      const page = renderPage(this.#shelf.images, machines, token);
      return await answerText(request, response, page, 200, "text/html; charset=utf-8", pageHeaders);
    }
    if (url.pathname === "/machines.json" && machines !== undefined) {
      const text = `${printable(JSON.stringify(machines.all))}\n`;
      return await answerText(request, response, text, 200, "application/json", pageHeaders);
    }
    const [, id = "", word] = /^\/machines\/([0-9A-F_]+)(?:\/([a-z]+))?$/.exec(url.pathname) ?? [];
    const machine = machines?.get(id);
    if (machine !== undefined && word === undefined) {
      const page = renderMachine(machine, token);
      return await answerText(request, response, page, 200, "text/html; charset=utf-8", pageHeaders);
    }
    const order = orders.find((one) => one === word);
    if (order === undefined || machine === undefined) return answerEmpty(response, 404);
    if (request.method !== "POST") return answerEmpty(response, 405, { allow: "POST" });
    machines?.order(id, order);
    answerEmpty(response, 303, { location: `/?token=${encodeURIComponent(token)}` });
  }

  #isKnown(url: URL): boolean {
    const given = Buffer.from(url.searchParams.get("token") ?? "");
    const token = Buffer.from(this.#options.token);
    return given.length === token.length && timingSafeEqual(given, token);
  }
}

/** Undefined for a request whose target is no path. */
function parseTarget(target: string | undefined): URL | undefined {
  if (target?.startsWith("/") !== true) return undefined;
  try {
    return new URL(`http://server${target}`);
  } catch {
    return undefined;
  }
}

/** The server's name and port as the client knows them: it goes into scripts, so anything but a name is refused. */
function hostOf({ headers }: IncomingMessage): string | undefined {
  return /^(?:[\w.-]{1,253}|\[[0-9a-f:.]{2,45}\])(?::\d{1,5})?$/i.exec(headers.host ?? "")?.[0];
}

async function answerText(
  request: IncomingMessage,
  response: ServerResponse,
  text: string,
  status = 200,
  type = "text/plain; charset=utf-8",
  headers: Readonly<Record<string, string>> = { "cache-control": "no-store" },
): Promise<void> {
  if (request.method !== "GET" && request.method !== "HEAD")
    return answerEmpty(response, 405, { allow: "GET, HEAD" });
  const bytes = Buffer.from(text);
  response.writeHead(status, { ...headers, "content-type": type, "content-length": bytes.length });
  response.end(request.method === "HEAD" ? undefined : bytes);
}
