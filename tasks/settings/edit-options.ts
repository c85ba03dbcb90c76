/** What the edits of `lists/edits.yaml` need of the build, found without reading them in full: a build without edits needs nothing. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { type Parameter, type ParameterHost, param } from "../../src/engine/index.ts";
import { isoVersion } from "./image-options.ts";

/** Relative to the workspace. */
export const editsFile = "lists/edits.yaml";

/** Kinds of edits that are there, as far as a kind needs something beside the image's files. */
export const editKinds: Parameter<readonly string[]> = param.derived({
  name: "edit-kinds",
  description: "kinds of edits that need programs",
  default: (host) => ["patch", "run", "unpack"].filter((kind) => mentions(host, kind)),
});

/** The version, where an edit may use it: others are not to be made again for a new version. */
export const substitutedVersion: Parameter<string> = param.derived({
  name: "substituted-version",
  description: "version that edits use",
  default: async (host) =>
    mentions(host, "substitute") || mentions(host, "run") ? await host.value(isoVersion) : "",
});

function mentions(host: ParameterHost, kind: string): boolean {
  const file = path.join(host.root, editsFile);
  host.dependsOn("edits", async () => ({ paths: [file], isWhole: true }));
  try {
    return new RegExp(`^\\s*-\\s*["']?${kind}["']?\\s*:`, "m").test(readFileSync(file, "utf8"));
  } catch {
    // A file that cannot be read is the error of the step that makes the edits.
    return false;
  }
}
