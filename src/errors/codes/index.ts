/** Every error code of the program, by area. docs/errors.md is generated from it; the program itself uses only its keys. */
import { archiveErrors } from "./archive.ts";
import { buildErrors } from "./build.ts";
import { commandLineErrors } from "./command-line.ts";
import { downloadErrors } from "./download.ts";
import { imageErrors } from "./image.ts";
import { releaseErrors } from "./release.ts";
import { rpmErrors } from "./rpm.ts";
import { setupErrors } from "./setup.ts";
import { sourceErrors } from "./source.ts";
import { taskfileErrors } from "./taskfile.ts";

export type { ErrorArea, Explanation } from "./explanation.ts";

/** The areas in the order in which a user meets them. */
export const errorAreas = {
  "Starting and setting up": setupErrors,
  "Command line": commandLineErrors,
  "Taskfile and graph": taskfileErrors,
  "Running a build": buildErrors,
  "Downloads and the lock": downloadErrors,
  "Lists, mirrors and the sample source": sourceErrors,
  "Archives and file formats": archiveErrors,
  "Images and bundles": imageErrors,
  "Packages and installer trees (flavour rpm)": rpmErrors,
  Releases: releaseErrors,
} as const;

/** A stable, kebab-case name for a kind of failure, e.g. `md5-mismatch`. */
export type ErrorCode =
  | keyof typeof archiveErrors
  | keyof typeof buildErrors
  | keyof typeof commandLineErrors
  | keyof typeof downloadErrors
  | keyof typeof imageErrors
  | keyof typeof releaseErrors
  | keyof typeof rpmErrors
  | keyof typeof setupErrors
  | keyof typeof sourceErrors
  | keyof typeof taskfileErrors;
