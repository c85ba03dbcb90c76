/**
 * Whether bytes that arrived are those that upstream, or the lock, says they are. It downloads nothing but
 * upstream's md5.
 */
import { UserError } from "../../errors/index.ts";
import type { Received } from "../http/download.ts";
import { isLocal, publicUrl } from "../http/location.ts";
import type { Transport } from "../http/transport.ts";
import type { Artifact } from "./artifact.ts";
import type { LockEntry } from "./lock.ts";
import { readMd5At } from "./md5-file.ts";

/** The lock's line for bytes that have arrived. */
export function lineFor(artifact: Artifact, received: Received): LockEntry {
  const { size, sha256, md5, etag, lastModified } = received;
  const { version, deps, repository, wantedBy } = artifact;
  return {
    ...(version === undefined ? {} : { version }),
    url: publicUrl(artifact.url),
    size,
    sha256,
    md5,
    ...(etag === undefined ? {} : { etag }),
    ...(lastModified === undefined ? {} : { lastModified }),
    ...(deps === undefined ? {} : { deps }),
    ...(repository === undefined ? {} : { repository }),
    ...(wantedBy === undefined ? {} : { wantedBy }),
  };
}

/**
 * The md5 that upstream says the artifact has, asked for when the plan does not know it and has no better digest.
 * Asked before the bytes have come, so as not to wait for it afterwards; a failure shows when it is awaited.
 */
export function upstreamDigest(
  artifact: Artifact,
  transport: Transport,
  signal?: AbortSignal,
): Promise<string | undefined> {
  if (artifact.md5 !== undefined || artifact.sha256 !== undefined || artifact.md5Url === undefined) {
    return Promise.resolve(artifact.md5);
  }
  const asked = readMd5At(transport, artifact.md5Url, `${artifact.name}.md5.txt`, artifact.where, signal);
  asked.catch(() => undefined);
  return asked;
}

/**
 * Whether an artifact is pinned unchecked because upstream publishes no digest; `md5` is from `upstreamDigest`. Texts are only
 * shown, and local files are the user's own.
 */
export function isTrusted(artifact: Artifact, md5: string | undefined): boolean {
  const isChecked = md5 !== undefined || artifact.sha256 !== undefined;
  return !isChecked && artifact.kind !== "text" && !isLocal(artifact.url);
}

const mismatchCodes = { md5: "md5-mismatch", sha256: "sha256-mismatch", size: "size-mismatch" } as const;

/**
 * Throws when the bytes are not what upstream itself says they are; `md5` is from `upstreamDigest`. An index is made from the files
 * beside each extension and may be older than they are: when it disagrees, the file's own `.md5.txt` decides.
 */
export async function checkUpstream(
  artifact: Artifact,
  received: Received,
  md5: string | undefined,
  transport: Transport,
): Promise<void> {
  const where = publicUrl(artifact.url);
  const mismatch = (
    kind: keyof typeof mismatchCodes,
    expected: string | number,
    got: string | number,
    who = "",
  ): UserError =>
    new UserError(
      `${artifact.name}: upstream's ${kind} is ${expected}${who}, but the downloaded file has ${got}`,
      {
        code: mismatchCodes[kind],
        where,
        hint: "try again later, or use another mirror: the file is damaged, or the mirror is being updated",
      },
    );
  if (artifact.sha256 !== undefined && artifact.sha256 !== received.sha256) {
    throw mismatch("sha256", artifact.sha256, received.sha256);
  }
  if (md5 !== undefined && md5 !== received.md5) {
    const source = artifact.md5 === undefined ? artifact.md5Url : artifact.md5Source;
    const isIndex = source !== undefined && source !== publicUrl(artifact.md5Url ?? "");
    const own = isIndex ? await upstreamMd5(artifact, transport) : undefined;
    if (source === undefined) throw mismatch("md5", md5, received.md5);
    if (own !== received.md5) {
      const beside = own === undefined ? "" : `, and ${own} (${publicUrl(artifact.md5Url ?? "")})`;
      throw mismatch("md5", md5, received.md5, ` (${publicUrl(source)})${beside}`);
    }
    const message = `${artifact.name}: the index ${publicUrl(source)} is out of date; the file's own .md5.txt matches the download`;
    transport.onEvent({ type: "warning", message, where: undefined });
  }
  if (md5 === undefined && artifact.size !== undefined && artifact.size !== received.size) {
    throw mismatch("size", artifact.size, received.size);
  }
}

/** The error for bytes that are not the pinned ones, with upstream's own opinion on the new ones. */
export async function lockMismatch(
  artifact: Artifact,
  pin: LockEntry,
  received: Received,
  transport: Transport,
): Promise<UserError> {
  const upstream = await upstreamMd5(artifact, transport);
  const { update } = transport.limits.settings;
  const agrees = upstream === undefined ? undefined : upstream === received.md5;
  const verdict =
    agrees === undefined
      ? "upstream has no md5 to compare with"
      : agrees
        ? "upstream's md5 matches the received file: upstream released a new version"
        : "upstream's md5 does not match the received file either: it is damaged or was tampered with";
  return new UserError(
    `${artifact.name} does not match the lock: locked sha256 ${pin.sha256} (${pin.size} bytes), ` +
      `received sha256 ${received.sha256} (${received.size} bytes); ${verdict}`,
    {
      code: "lock-mismatch",
      where: publicUrl(artifact.url),
      hint:
        agrees === false
          ? "use another mirror"
          : update === undefined
            ? "if the change is expected, pin the artifact again"
            : `if the change is expected: ${update} ${artifact.name}`,
    },
  );
}

/** What upstream says now: the lock's md5, and what was planned from it, are of the old bytes. */
async function upstreamMd5(artifact: Artifact, transport: Transport): Promise<string | undefined> {
  if (artifact.md5Url === undefined) return undefined;
  try {
    return await readMd5At(transport, artifact.md5Url, `${artifact.name}.md5.txt`);
  } catch {
    return undefined;
  }
}
