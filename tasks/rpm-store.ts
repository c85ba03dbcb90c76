/** Publishing the ISO of the flavour rpm. */
import { rpmIso } from "./rpm/rpm-iso.ts";
import { isoVersion } from "./settings/image-options.ts";
import { publishing } from "./store.ts";

export const rpmStore = publishing("rpm-store", {
  what: "the ISO",
  build: async (build) => [(await build(rpmIso)).iso],
  files: async (value) => [`build-files/installer.${await value(isoVersion)}.iso`],
});
