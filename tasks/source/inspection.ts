/**
 * Checks a fetched file before it is pinned: that it is complete, and that its content matches its name.
 */
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import { UserError } from "../../src/errors/index.ts";
import { type Artifact, gemNameOf, publicUrl } from "../../src/fetch/index.ts";
import { printName, readGemIdentity, readIsoTree, readSquashfsSuperblock } from "../../src/formats/index.ts";

/** Throws a `UserError` when the file (absolute path) is cut short, or is a gem of another name, version or platform. */
export async function inspectArtifact(artifact: Artifact, file: string): Promise<void> {
  const label = `${artifact.name} (${publicUrl(artifact.url)})`;
  if (artifact.kind === "squashfs") await readSquashfsSuperblock(file, label);
  if (artifact.kind === "gem") await checkGem(artifact, file, label);
  if (artifact.kind === "tarball") await checkGzip(artifact.name, file, label);
  if (artifact.kind === "iso9660") await checkIso(artifact.name, file, label);
}

/** Whether all files that the directory names are there; limits, and what an image may hold, are for who takes it apart. */
async function checkIso(name: string, file: string, label: string): Promise<void> {
  await readIsoTree(file).catch((cause: unknown) => {
    if (!(cause instanceof UserError)) throw cause;
    if (cause.code !== "bad-iso") return;
    throw new UserError(`${name} cannot be used: ${cause.message}`, {
      code: "damaged-iso",
      where: label,
      hint: "try again later, or use another mirror",
      cause,
    });
  });
}

/** Of a bomb not all is unpacked here: who takes it apart has a limit, and names it. */
const mostRatio = 64;

/**
 * Nobody upstream says what a tarball's bytes are, and an answer that ends with its connection cannot be told from one
 * that was cut off (RFC 9112, 8). A gzip file says it itself: each member ends with a checksum and a size (RFC 1952, 2.3.1).
 */
async function checkGzip(name: string, file: string, label: string): Promise<void> {
  const most = (await stat(file)).size * mostRatio;
  let size = 0;
  try {
    await pipeline(createReadStream(file), createGunzip(), async (chunks) => {
      for await (const chunk of chunks) {
        size += (chunk as Buffer).length;
        if (size > most) return;
      }
    });
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? "";
    // The rest of a bomb is left unread.
    if (code === "ERR_STREAM_PREMATURE_CLOSE" && size > most) return;
    if (!code.startsWith("Z_")) throw cause;
    const why = code === "Z_BUF_ERROR" ? "it is truncated" : "its content does not match its checksum";
    throw new UserError(`${name} is damaged: ${why}`, {
      code: "damaged-tarball",
      where: label,
      hint: "try again later, or use another mirror",
      cause,
    });
  }
}

async function checkGem(
  { name: fileName, version = "" }: Artifact,
  file: string,
  label: string,
): Promise<void> {
  const expected = { name: gemNameOf(fileName, version), version, platform: "ruby" };
  const found = await readGemIdentity(file, label);
  for (const field of ["name", "version", "platform"] as const) {
    if (found[field] === expected[field]) continue;
    throw new UserError(
      `${fileName} is another gem: the ${field} in its specification is "${printName(found[field])}", not "${expected[field]}"`,
      {
        code: "wrong-gem",
        where: label,
        hint: "use another gem server: it has another file under this name",
      },
    );
  }
}
