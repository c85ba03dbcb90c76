/** Files of a project of the flavour rpm; all paths are relative to the workspace. */
import { file } from "../../src/engine/index.ts";

/** Where packages come from. */
export const repositoriesFile = "lists/repositories.yaml";

/** What the tree consists of: groups by their ids in comps.xml, and packages. */
export const listFiles = { groups: "lists/groups.lst", packages: "lists/packages.lst" } as const;

/** Public keys of repositories. */
export const keysDirectory = "keys";

export const compsFile = "comps.xml";
export const kickstartFile = "kickstart/ks.cfg";

/** A spec and its sources. */
export const installerDirectory = "installer";

/** Boot files that `import` took from a distribution, and the project's own files over them. */
export const importedDirectory = "imported";
export const imageSource = "image-src";

/** Scripts that run in the root of the template. */
export const templateScripts = "template";

export const listInputs = {
  groups: file(listFiles.groups, { optional: true, byLine: true }),
  packages: file(listFiles.packages, { optional: true, byLine: true }),
  comps: file(compsFile, { byLine: true }),
} as const;
