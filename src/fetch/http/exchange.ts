/** One GET request with its redirects. */
import type { Dispatcher } from "undici";
import { UserError } from "../../errors/index.ts";
import type { Connections, Lane } from "./connections.ts";
import { authorizationOf, publicUrl } from "./location.ts";
import { describeRoute, lastUrl, type Route, shownTarget } from "./route.ts";

export interface Answer {
  readonly status: number;
  /** The URLs from the request to the server that answered. */
  readonly route: Route;
  /** The last value of a header, by its lower-case name. */
  header(name: string): string | undefined;
  /** The URL of the proxy that it came through, without credentials. */
  readonly proxy: string | undefined;
  /** The bytes as they are on the wire, whatever their Content-Encoding. */
  readonly body: AsyncIterable<Buffer>;
  /** To be asked after the body was read: whether more came than the server had announced. */
  hasExcess(): Promise<boolean>;
}

interface Exchange {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly maxRedirects: number;
  readonly signal: AbortSignal | undefined;
  /** Called with the route after each redirect, for error messages. */
  readonly onRedirect?: (route: Route) => void;
}

/** Bytes that may wait to be written. What waits in the socket is lost when a server hangs up early. */
const highWaterMark = 512 * 1024;

const commonHeaders = { accept: "*/*", "accept-encoding": "identity", "user-agent": "razor-mk" };

const redirects = new Set([301, 302, 303, 307, 308]);

/**
 * Sends the request, follows redirects and hands the final answer to `use`; what `use` leaves of the body is
 * thrown away. Throws a UserError for a redirect that is refused, and undici's errors for a connection's.
 */
export async function exchange<T>(
  connections: Connections,
  request: Exchange,
  use: (answer: Answer) => Promise<T>,
): Promise<T> {
  let url = request.url;
  let route: Route = [url];
  for (let count = 0; ; count += 1) {
    const step = await connections.lend(url, (lane) => send(lane, route, request, use));
    if (step.kind === "answered") return step.value;
    if (count === request.maxRedirects) {
      throw new UserError(`more than ${request.maxRedirects} redirects: ${describeRoute(route)}`, {
        code: "too-many-redirects",
        where: publicUrl(request.url.href),
        hint: "use another mirror: the server redirects in a loop",
      });
    }
    url = redirectTarget(url, step.location);
    route = [...route, url];
    request.onRedirect?.(route);
  }
}

type Step<T> =
  | { readonly kind: "answered"; readonly value: T }
  | { readonly kind: "redirected"; readonly location: string };

async function send<T>(
  lane: Lane,
  route: Route,
  request: Exchange,
  use: (answer: Answer) => Promise<T>,
): Promise<Step<T>> {
  lane.begin();
  const url = lastUrl(route);
  // Credentials belong to the origin that the user wrote them for, and to no other.
  const authorization = url.origin === request.url.origin ? authorizationOf(request.url) : undefined;
  const { statusCode, headers, body } = await lane.request({
    origin: url.origin,
    path: `${url.pathname}${url.search}`,
    method: "GET",
    headers: {
      ...commonHeaders,
      ...request.headers,
      ...(authorization === undefined ? {} : { authorization }),
    },
    ...(request.signal === undefined ? {} : { signal: request.signal }),
    highWaterMark,
  });
  // A body that is given up half way reports that as an error, to nobody.
  body.on("error", () => undefined);
  try {
    const location = header(headers, "location");
    if (redirects.has(statusCode) && location !== undefined) {
      await body.dump({ limit: 65_536 });
      return { kind: "redirected", location };
    }
    const answer: Answer = {
      status: statusCode,
      route,
      header: (name) => header(headers, name),
      proxy: lane.proxy?.url,
      body,
      hasExcess: () => lane.hasExcess(),
    };
    return { kind: "answered", value: await use(answer) };
  } finally {
    if (!body.readableEnded) body.destroy();
  }
}

function header(headers: Dispatcher.ResponseData["headers"], name: string): string | undefined {
  const value = headers[name];
  return typeof value === "object" ? value.at(-1) : value;
}

function redirectTarget(from: URL, location: string): URL {
  let target: URL;
  try {
    target = new URL(location, from);
  } catch (error) {
    throw new UserError("the server redirects to an invalid URL", {
      code: "redirect-refused",
      hint: "use another mirror",
      where: publicUrl(from.href),
      cause: error,
    });
  }
  const refused =
    target.protocol !== "http:" && target.protocol !== "https:"
      ? "only http and https are allowed"
      : from.protocol === "https:" && target.protocol === "http:"
        ? "it would drop encryption"
        : undefined;
  if (refused !== undefined) {
    throw new UserError(`a redirect to ${shownTarget(target)} is refused: ${refused}`, {
      code: "redirect-refused",
      where: publicUrl(from.href),
      hint: "use the mirror's final URL, or another mirror",
    });
  }
  target.username = "";
  target.password = "";
  return target;
}
