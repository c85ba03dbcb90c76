/** The URLs that a request went to: the one asked for, and where each redirect led. */
import { publicUrl } from "./location.ts";

/** In the order of the requests; never empty. */
export type Route = readonly [URL, ...URL[]];

/** Where the answer came from, or should have: without credentials. */
export function endOf(route: Route): string {
  return publicUrl((route.at(-1) ?? route[0]).href);
}

/** `http://a/x`, and behind a redirect `http://a/x, redirected to http://b/y`. */
export function describeRoute(route: Route): string {
  return route.map((url) => publicUrl(url.href)).join(", redirected to ");
}
