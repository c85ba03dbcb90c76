/** The version that a build would get now. */
import { command } from "../src/engine/index.ts";
import { isoVersion } from "./settings/image-options.ts";

export const version = command({
  name: "version",
  description: "Print the version that a build would have",
  params: { isoVersion },
  run: async ({ value, print }) => print(await value(isoVersion)),
});
