/** The Core ISO as an artefact of a mirror. */
import type { Artefact } from "../pins/artefact.ts";
import { coreFiles, type Mirror, releaseLocation } from "./mirror.ts";

/** The Core ISO of a mirror. */
export function coreIsoArtefact(mirror: Mirror, where?: string): Artefact {
  const { iso } = coreFiles(mirror.arch);
  return {
    name: iso,
    url: releaseLocation(mirror, iso),
    kind: "iso9660",
    tail: `${mirror.release}/${mirror.arch}/release/${iso}`,
    md5Url: releaseLocation(mirror, `${iso}.md5.txt`),
    urgent: true,
    ...(where === undefined ? {} : { where }),
  };
}
