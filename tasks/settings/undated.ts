/**
 * The time, in seconds since 1970, of files without one of their own: 1980-01-01T00:00:00Z, the earliest that FAT can
 * record (Microsoft, FAT specification, "Date and Time Formats"); also what Nixpkgs sets SOURCE_DATE_EPOCH to.
 */
export const undated = 315_532_800;
