/** Bills of materials: what an image is made of, with versions, digests and licences, as CycloneDX and SPDX. */
export type { Bill, Component, Licence } from "./bill.ts";
export { billOf } from "./collection.ts";
export { componentsOf } from "./components.ts";
export { formatCycloneDx } from "./cyclonedx.ts";
export { describeLicence, readLicences } from "./licence.ts";
export { type BillSources, type Download, imageAlone, type UnpackedExtra } from "./sources.ts";
export { formatSpdx } from "./spdx.ts";
