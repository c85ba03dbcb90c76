/** Signing packages and metadata with a gpg key, at a time that makes the same bytes in every build. */
import { homedir } from "node:os";
import path from "node:path";
import { UserError } from "../../src/errors/index.ts";
import type { Shell } from "../../src/host/index.ts";
import { parseSigningKey } from "../../src/release/index.ts";

/** A key of gpg's that signs. */
interface RpmKey {
  readonly $: Shell;
  /** A user id or a fingerprint. */
  readonly name: string;
  /** Words before a command that finds the key. rpm splits options at blanks, which a directory's name may have. */
  readonly env: readonly string[];
  /** Options of gpg for every signature. */
  readonly options: readonly string[];
}

/** Variables that say where gpg's keys are. */
export const signingEnv = ["GNUPGHOME", "GPG_TTY"];

/**
 * The key that a value of `--sign` names; undefined for none, and for a key of minisign, which signs only what `store` publishes.
 * `epoch` is the time of the signatures in seconds since 1970, unless the key is younger.
 * @throws UserError `signing-key`
 */
export async function openRpmKey(
  $: Shell,
  signing: string,
  env: Readonly<Record<string, string>>,
  epoch: number,
): Promise<RpmKey | undefined> {
  if (signing === "") return undefined;
  const { tool, key: name } = parseSigningKey(signing, (file) => file);
  if (tool !== "gpg") return undefined;
  const home = env.GNUPGHOME ?? path.join(homedir(), ".gnupg");
  const homed = $({ nothrow: true });
  const words = ["env", `GNUPGHOME=${home}`];
  const base = ["--batch", "--no-tty"];
  const { stdout } = await homed`${words} gpg ${base} --with-colons --list-secret-keys ${name}`;
  // gnupg, doc/DETAILS: field 6 of a "sec" record is the time of creation.
  const created = /^sec:(?:[^:]*:){4}(\d+):/m.exec(stdout)?.[1];
  if (created === undefined) {
    throw new UserError(`gpg has no secret key "${name}"`, {
      code: "signing-key",
      where: `--sign ${signing}`,
      hint: "gpg --list-secret-keys lists the keys",
    });
  }
  const time = Math.max(epoch, Number(created));
  return { $, name, env: words, options: [...base, "--quiet", "--faked-system-time", `${time}!`] };
}

/** Signs packages in place (absolute paths). Throws a `UserError` `signing-key-locked`. */
export async function signPackages(
  { $, name, env, options }: RpmKey,
  packages: readonly string[],
): Promise<void> {
  const quiet = $({ nothrow: true });
  const gpg = (await quiet`sh -c ${"command -v gpg"}`).stdout.trim();
  const defines = [
    ...["--define", `__gpg ${gpg}`, "--define", `_gpg_name ${name}`],
    // rpm splits the words of this macro at blanks.
    ...["--define", `_gpg_sign_cmd_extra_args ${options.join(" ")}`],
  ];
  const { exitCode, stderr } = await quiet`${env} rpmsign ${defines} --addsign ${packages}`;
  if (exitCode !== 0) throw locked(name, stderr);
}

/** Writes a detached, armored signature of `file` to `signature` (absolute paths). Throws a `UserError` `signing-key-locked`. */
export async function signFile(
  { $, name, env, options }: RpmKey,
  file: string,
  signature: string,
): Promise<void> {
  const quiet = $({ nothrow: true });
  const words = ["--local-user", name, "--armor", "--output", signature, "--detach-sign", file];
  const { exitCode, stderr } = await quiet`${env} gpg ${options} ${words}`;
  if (exitCode !== 0) throw locked(name, stderr);
}

/** The public key, armored. */
export async function publicKeyOf({ $, name, env, options }: RpmKey): Promise<string> {
  return (await $`${env} gpg ${options} --armor --export ${name}`).stdout;
}

function locked(name: string, said: string): UserError {
  const line = said.split("\n").find((one) => /failed|error|expired|revoked/i.test(one)) ?? said.trim();
  return new UserError(`gpg cannot sign with the key "${name}": ${line.trim()}`, {
    code: "signing-key-locked",
    hint: "unlock the key in gpg-agent before the build, or extend it if it has expired",
  });
}
