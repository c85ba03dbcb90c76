/**
 * The Core ISO: fetched, verified, its boot directory taken out, and looked into for what later steps must know.
 */
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { out, task } from "../src/engine/index.ts";
import { type Artifact, besideLocation, coreIsoArtifact, publicUrl } from "../src/fetch/index.ts";
import { openCoreIso } from "./image/core-iso.ts";
import { limitParams, limitsOf } from "./settings/limit-options.ts";
import {
  type Source,
  sourceEnv,
  sourceInputs,
  sourceNeeds,
  sourceParams,
  withSource,
} from "./source/index.ts";
import { absoluteLocation } from "./source/kinds/source-name.ts";
import { lockInput } from "./source/source-lock.ts";
import { isoUrl } from "./source/source-options.ts";

export const fetchIso = task({
  name: "fetch-iso",
  description: "Fetch and verify the Core ISO, and extract its boot files",
  group: "fetch",
  variants: "shared",
  needs: sourceNeeds,
  inputs: { ...sourceInputs, lock: lockInput((name) => name.endsWith(".iso")) },
  params: { ...sourceParams, ...limitParams, isoUrl },
  passEnv: sourceEnv,
  pool: "network",
  outputs: {
    iso: out.file("Core-current.iso"),
    boot: out.directory("boot"),
    core: out.file("core.json"),
    /** What the initrd holds, for the layers that lie on it. */
    listing: out.file("initrd.json"),
    /** What messages call the ISO: its name and its URL. */
    label: out.file("label"),
  },
  async run(context) {
    const { outputs, params, scratch, note } = context;
    const name = await withSource(context, async (opened) => {
      const wanted = isoArtifact(opened, params.isoUrl);
      const lines = await opened.fetch([wanted]);
      await opened.place(lines.get(wanted.name), outputs.iso);
      return `${wanted.name} (${publicUrl(wanted.url)})`;
    });
    await writeFile(outputs.label, name);
    await openCoreIso(outputs.iso, name, outputs, { scratch, limits: limitsOf(params), note });
  },
});

/** The Core ISO of the source, or the one at a URL of the user's. */
export function isoArtifact(opened: Pick<Source, "mirror">, given: string | undefined): Artifact {
  if (given === undefined) return coreIsoArtifact(opened.mirror);
  const url = absoluteLocation(given);
  const name = path.posix.basename(new URL(url, "file:///").pathname);
  return {
    name: name.endsWith(".iso") ? name : `${name}.iso`,
    url,
    kind: "iso9660",
    md5Url: besideLocation(url, ".md5.txt"),
    urgent: true,
  };
}
