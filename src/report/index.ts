/** The report of a build and its image: one HTML file. */
export type { ReportData, ReportExtension, ReportImage, SizeNode } from "./data.ts";
export { renderReport } from "./page.ts";
