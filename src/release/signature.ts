/** Signing a file with gpg or minisign. A password goes through standard input, or is asked for by gpg's own agent. */
import { UsageError, UserError } from "../errors/index.ts";
import { lastLine, type ReleaseContext, runProgram } from "./program.ts";

/** A key that signs: gpg's name of it, or the absolute path of minisign's secret key. */
export interface SigningKey {
  readonly tool: "gpg" | "minisign";
  readonly key: string;
}

/** What the signature of a file adds to its name. */
export const signatureEnding = { gpg: ".asc", minisign: ".minisig" } as const;

/** The key that a text names: `gpg:NAME` or `minisign:FILE`. `resolve` makes a path absolute. */
export function parseSigningKey(text: string, resolve: (file: string) => string): SigningKey {
  const [, tool, key = ""] = /^(gpg|minisign):(.+)$/s.exec(text) ?? [];
  // A key that gpg took for an option would not name one.
  if (tool === "gpg" && !key.startsWith("-")) return { tool, key };
  if (tool === "minisign") return { tool, key: resolve(key) };
  throw new UsageError(`--sign is "${text}", which names no key`, {
    code: "signing-key",
    hint: "write gpg:NAME, with a user id or a fingerprint, or minisign:FILE with the secret key's file",
  });
}

/**
 * Signs `directory`/`name` and writes the signature beside it (absolute path); returns the signature's name. Throws a
 * `UserError` that tells an unknown, a locked and an expired key apart.
 */
export async function sign(
  context: ReleaseContext,
  { tool, key }: SigningKey,
  directory: string,
  name: string,
  password: string | undefined,
): Promise<string> {
  const signature = `${name}${signatureEnding[tool]}`;
  const options = { cwd: directory, input: password === undefined ? "" : `${password}\n` };
  if (tool === "minisign") {
    const args = ["-S", "-s", key, "-m", name, "-x", signature];
    const { status, stdout, stderr } = await runProgram(context, tool, args, options);
    if (status !== 0) throw minisignFailure(key, `${stdout}\n${stderr}`);
    return signature;
  }
  const loopback = password === undefined ? [] : ["--pinentry-mode", "loopback", "--passphrase-fd", "0"];
  const signing = ["--local-user", key, "--armor", "--output", signature, "--detach-sign", name];
  const args = ["--batch", "--no-tty", "--yes", "--status-fd", "1", ...loopback, ...signing];
  const { status, stdout, stderr } = await runProgram(context, tool, args, options);
  if (status !== 0) throw gpgFailure(key, stdout, stderr);
  return signature;
}

/** Error codes of libgpg-error (err-codes.h), the low 16 bits of the number in `FAILURE sign` (gnupg, doc/DETAILS). */
const noSecretKey = 17;
const unusableSecretKey = 54;

function gpgFailure(key: string, status: string, said: string): UserError {
  const failure = Number(/^\[GNUPG:\] FAILURE sign (\d+)$/m.exec(status)?.[1] ?? 0) & 0xffff;
  if (failure === noSecretKey) return unknownKey("gpg", key, "gpg --list-secret-keys lists the keys");
  if (failure === unusableSecretKey) {
    return new UserError(`gpg's key "${key}" cannot sign: it has expired or is revoked`, {
      code: "signing-key-expired",
      hint: "gpg --quick-set-expire extends a key; gpg --list-secret-keys lists the keys",
    });
  }
  return lockedKey("gpg", key, lastLine(said));
}

function minisignFailure(key: string, said: string): UserError {
  if (/No such file or directory/.test(said))
    return unknownKey("minisign", key, "minisign -G -s FILE makes a key");
  return lockedKey("minisign", key, /Wrong password/.test(said) ? "wrong password" : lastLine(said));
}

function unknownKey(tool: string, key: string, hint: string): UserError {
  return new UserError(`${tool} has no secret key "${key}"`, { code: "signing-key", hint });
}

function lockedKey(tool: string, key: string, said: string): UserError {
  const agent = tool === "gpg" ? ", or unlock it in gpg-agent" : "";
  return new UserError(`${tool} cannot sign with the key "${key}": ${said}`, {
    code: "signing-key-locked",
    hint: `give the key's password by a file descriptor: --password-fd 3 3<FILE${agent}`,
  });
}
