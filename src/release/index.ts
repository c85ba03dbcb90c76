/** Publishing releases: digests, signatures, atomic publication in a directory or over ssh, and checking what is published. */
export { checksumsFile, formatChecksums, parseChecksums, sha256Of } from "./checksums.ts";
export { type Destination, describeDestination, parseDestination } from "./destination.ts";
export type { ReleaseContext } from "./program.ts";
export { descriptionFiles, Publication, type Published } from "./publication.ts";
export { parseSigningKey, type SigningKey, sign, signatureEnding } from "./signature.ts";
export { verifyRelease } from "./verification.ts";
