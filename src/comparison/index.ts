/** What differs between two files and all that is in them. */
export { compareFiles, digestFile } from "./comparison.ts";
export type { Difference } from "./difference.ts";
export { withoutTimes } from "./grouping.ts";
export { describeDifferences } from "./report.ts";
