/** Results shared between machines: a client of remote caches that speak the Bazel HTTP cache protocol. */
export { HttpCache, keyOf, longPatience } from "./http-cache.ts";
export type { JobReport } from "./job-report.ts";
export type { ServerLocation } from "./server.ts";
export { SlurmExecutor } from "./slurm.ts";
