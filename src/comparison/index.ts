/** What differs between two files and all that is in them. */
export { type ComparisonOptions, compareFiles, digestFile } from "./comparison.ts";
export { type Difference, describeDifferences, type Side } from "./difference.ts";
export { withoutTimes } from "./grouping.ts";
