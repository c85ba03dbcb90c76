/** Checking what comes in: repomd.xml by gpg, packages by rpm. Both know no other keys than the given ones. */
import { mkdir } from "node:fs/promises";
import path from "node:path";
import { UserError } from "../../src/errors/index.ts";
import type { Shell } from "../../src/host/index.ts";

/**
 * Checks a detached signature. All paths are absolute; `scratch` is an existing directory, `label` the file's name in messages.
 * @throws UserError `metadata-signature`
 */
export async function checkMetadataSignature(
  $: Shell,
  files: { readonly file: string; readonly signature: string; readonly keys: readonly string[] },
  scratch: string,
  label: string,
): Promise<void> {
  const home = path.join(scratch, "gnupg");
  await mkdir(home, { mode: 0o700 });
  const quiet = $({ nothrow: true });
  // Public keys need no agent, and this directory's path may be too long for one's socket.
  const options = ["--homedir", home, "--no-autostart", "--batch", "--no-tty", "--quiet", "--status-fd", "1"];
  const refuse = (why: string): UserError =>
    new UserError(`the repository's index is not signed by its keys: ${why}`, {
      code: "metadata-signature",
      where: label,
      hint: "check that keys names the repository's current keys; do not use the repository if they are right",
    });
  const imported = await quiet`gpg ${options} --import ${files.keys}`;
  // Without an agent gpg fails after the import.
  const count = [...imported.stdout.matchAll(/^\[GNUPG:\] IMPORT_OK /gm)].length;
  if (count < files.keys.length) throw refuse(`gpg cannot read its keys: ${lastLine(imported.stderr)}`);
  const { exitCode, stdout, stderr } = await quiet`gpg ${options} --verify ${files.signature} ${files.file}`;
  // GOODSIG: good and by a key that is neither expired nor revoked (gnupg, doc/DETAILS).
  if (exitCode !== 0 || !/^\[GNUPG:\] GOODSIG /m.test(stdout)) throw refuse(lastLine(stderr));
}

/**
 * Checks that each package (absolute path, by its name in messages) has a good signature by one of the keys (absolute paths).
 * @throws UserError `package-signature` that names all that have none
 */
export async function checkPackageSignatures(
  $: Shell,
  packages: ReadonlyMap<string, string>,
  keys: readonly string[],
  scratch: string,
): Promise<void> {
  if (packages.size === 0) return;
  const database = path.join(scratch, "rpmdb");
  await mkdir(database, { recursive: true });
  const quiet = $({ nothrow: true });
  const imported = await quiet`rpmkeys --dbpath ${database} --import ${keys}`;
  if (imported.exitCode !== 0) throw refused(`rpm cannot read the keys: ${lastLine(imported.stderr)}`, keys);
  const bad: string[] = [];
  const names = [...packages];
  // Many at once, but fewer than a command line holds.
  for (let from = 0; from < names.length; from += 200) {
    const part = names.slice(from, from + 200);
    const files = part.map(([, file]) => file);
    // Without the level, a package without a signature passes (rpm's macros file, "_pkgverify_level").
    const level = ["--define", "_pkgverify_level all"];
    const { stdout, exitCode } = await quiet`rpmkeys --dbpath ${database} ${level} --checksig ${files}`;
    if (exitCode === 0) continue;
    const good = new Set(
      stdout
        .split("\n")
        .flatMap((line) => (line.endsWith(": digests signatures OK") ? [line.slice(0, -24)] : [])),
    );
    bad.push(...part.filter(([, file]) => !good.has(file)).map(([name]) => name));
  }
  if (bad.length > 0) throw refused(`${bad.join(", ")} has no good signature by the repository's keys`, keys);
}

function refused(message: string, keys: readonly string[]): UserError {
  return new UserError(message, {
    code: "package-signature",
    where: keys.map((key) => path.basename(key)).join(", "),
    hint: "check that keys names the repository's keys; gpgcheck: false is for repositories that you made",
  });
}

function lastLine(text: string): string {
  return text.trimEnd().split("\n").at(-1)?.trim() ?? "";
}
