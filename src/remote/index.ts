/** Results shared between machines: a client of remote caches that speak the Bazel HTTP cache protocol. */
export { HttpCache, keyOf } from "./http-cache.ts";
export type { ServerLocation } from "./server.ts";
