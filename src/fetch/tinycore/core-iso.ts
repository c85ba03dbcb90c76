/** The Core ISO as an artifact of a mirror. */
import type { Artifact } from "../pins/artifact.ts";
import { coreFiles, type Mirror, releaseLocation } from "./mirror.ts";

/** The Core ISO of a mirror. */
export function coreIsoArtifact(mirror: Mirror, where?: string): Artifact {
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
