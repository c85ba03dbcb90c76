/** Checking a published release as a user would: the digests of its files, and its signature by a public key. */
import { mkdir, readdir, readFile, stat } from "node:fs/promises";
import path from "node:path";
import { UserError } from "../errors/index.ts";
import { checksumsFile, parseChecksums, sha256Of } from "./checksums.ts";
import { type Destination, describeDestination } from "./destination.ts";
import { lastLine, type ReleaseContext, runProgram } from "./program.ts";
import { signatureEnding } from "./signature.ts";

interface Verification {
  /** Names of the files whose digests were compared. */
  readonly files: readonly string[];
  readonly signature: "none" | "unchecked" | "good";
}

/**
 * Checks the release that `current` leads to. `publicKey` is the absolute path of a minisign public key or an exported
 * OpenPGP key; `scratch` an empty directory (absolute). Throws a `UserError` for whatever differs.
 */
export async function verifyRelease(
  context: ReleaseContext,
  destination: Destination,
  publicKey: string | undefined,
  scratch: string,
): Promise<Verification> {
  const where = `${describeDestination(destination)}/current`;
  const directory = await fetchRelease(context, destination, scratch);
  const sums = await readFile(path.join(directory, checksumsFile), "utf8").catch((cause: unknown) => {
    throw damaged(`there is no release, or it has no ${checksumsFile}`, where, cause);
  });
  const digests = parseChecksums(sums);
  const names = await readdir(directory);
  const signatures = Object.values(signatureEnding).map((ending) => `${checksumsFile}${ending}`);
  const extra = names.filter((name) => ![checksumsFile, ...signatures].includes(name) && !digests.has(name));
  if (extra.length > 0) throw damaged(`${extra.join(", ")} is not listed in ${checksumsFile}`, where);
  for (const [name, digest] of digests) {
    if (!names.includes(name)) throw damaged(`${name} is missing`, where);
    if ((await sha256Of(path.join(directory, name))) !== digest)
      throw damaged(`${name} does not match its digest`, where);
  }
  const files = [...digests.keys()];
  const signed = signatures.filter((name) => names.includes(name));
  if (publicKey === undefined) return { files, signature: signed.length === 0 ? "none" : "unchecked" };
  await checkSignature(context, directory, publicKey, scratch, where);
  return { files, signature: "good" };
}

/** The directory with the release: on this machine the destination's own, else a copy. */
async function fetchRelease(
  context: ReleaseContext,
  { host, directory }: Destination,
  scratch: string,
): Promise<string> {
  if (host === undefined) return path.join(directory, "current");
  const copy = path.join(scratch, "release");
  const from = `${host}:${directory}/current/`;
  const args = ["--recursive", "--times", "--protect-args", "--", from, `${copy}/`];
  const { status, stderr } = await runProgram(context, "rsync", args);
  if (status === 0) return copy;
  const said = stderr.split("\n").find((line) => line.trim() !== "") ?? `status ${status}`;
  throw new UserError(`rsync cannot fetch the release: ${said.trim()}`, {
    code: "store-failed",
    where: from,
    hint: "check that the destination has a release, and that ssh reaches it",
  });
}

async function checkSignature(
  context: ReleaseContext,
  directory: string,
  publicKey: string,
  scratch: string,
  where: string,
): Promise<void> {
  const key = await readFile(publicKey, "utf8").catch((cause: unknown) => {
    throw new UserError("the public key cannot be read", {
      code: "unreadable-file",
      where: publicKey,
      hint: "check the name and the permissions of the file",
      cause,
    });
  });
  const tool = key.startsWith("untrusted comment:") ? "minisign" : "gpg";
  const file = path.join(directory, checksumsFile);
  const signature = `${file}${signatureEnding[tool]}`;
  const there = await stat(signature).catch(() => undefined);
  if (there === undefined) throw notSigned(`the release has no ${tool} signature`, where);
  if (tool === "minisign") {
    const { status, stderr } = await runProgram(context, tool, [
      ...["-V", "-q", "-p", publicKey, "-m", file, "-x", signature],
    ]);
    if (status !== 0) throw notSigned(`minisign refuses the signature: ${lastLine(stderr)}`, where);
    return;
  }
  // With a keyring of its own, no other key than the given one is trusted.
  const home = path.join(scratch, "gnupg");
  await mkdir(home, { mode: 0o700 });
  const options = { env: { GNUPGHOME: home } };
  const imported = await runProgram(context, tool, ["--batch", "--quiet", "--import", publicKey], options);
  if (imported.status !== 0)
    throw notSigned(`gpg cannot read the key: ${lastLine(imported.stderr)}`, publicKey);
  const args = ["--batch", "--no-tty", "--status-fd", "1", "--verify", signature, file];
  const { status, stdout, stderr } = await runProgram(context, tool, args, options);
  if (status !== 0 || !/^\[GNUPG:\] GOODSIG /m.test(stdout))
    throw notSigned(`gpg refuses the signature: ${lastLine(stderr)}`, where);
}

function damaged(what: string, where: string, cause?: unknown): UserError {
  return new UserError(`the release is damaged: ${what}`, {
    code: "release-damaged",
    where,
    hint: "delete the release at the destination and publish it again",
    ...(cause === undefined ? {} : { cause }),
  });
}

function notSigned(what: string, where: string): UserError {
  return new UserError(what, {
    code: "signature-invalid",
    where,
    hint: "check that the key is the publisher's; if it is, do not use the release",
  });
}
