/** Results shared between machines: a client of remote caches that speak the Bazel HTTP cache protocol. */
export { HttpCache, type RemoteStatistics } from "./http-cache.ts";
export { serverLocation } from "./location.ts";
