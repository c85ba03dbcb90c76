/** The URLs of a request: the original one and the target of each redirect. */
import { publicUrl } from "./location.ts";

/** In the order of the requests; never empty. */
export type Route = readonly [URL, ...URL[]];

/** The URL that answered, or should have. */
export function lastUrl(route: Route): URL {
  return route.at(-1) ?? route[0];
}

/** The same for messages, without credentials. */
export function endOf(route: Route): string {
  return route.length > 1 ? shownTarget(lastUrl(route)) : publicUrl(route[0].href);
}

/** `http://a/x`, or after a redirect `http://a/x, redirected to http://b/y`. */
export function describeRoute(route: Route): string {
  const [first, ...targets] = route;
  return [publicUrl(first.href), ...targets.map(shownTarget)].join(", redirected to ");
}

/** The target of a redirect without credentials; the server may have put some of its own into the query. */
export function shownTarget(url: URL): string {
  return publicUrl(url.href).replace(/\?.*$/s, "?…");
}
