/**
 * What differs between variants in the files of overlay-src: the password's hash, the console, the log level. Each is
 * a change of one line, so that overlay-src stays what the user wrote.
 */
import { readFile } from "node:fs/promises";
import { UserError } from "../../src/errors/index.ts";
import { bytesContent, type FileTree } from "../../src/formats/index.ts";

/** Busybox's getty with an automatic login: -n asks for no name, -l says what logs in. */
const autologin = "tty1::respawn:/sbin/getty -nl /sbin/autologin 38400 tty1";

/**
 * Changes the tree in place. `passwordHash` is the absolute path of a file with tc's hash in crypt(5)'s form, or
 * undefined where tc is locked.
 */
export async function adaptToVariant(
  tree: FileTree,
  variant: string,
  passwordHash: string | undefined,
): Promise<void> {
  const hash = passwordHash === undefined ? "*" : (await readFile(passwordHash, "utf8")).trim();
  await changeLine(tree, "etc/shadow", /^tc:[^:]*:/m, `tc:${hash}:`);
  if (variant === "prod") await refusePasswords(tree);
  if (variant !== "debug") return;
  await changeLine(tree, "etc/inittab", /^tty1:.*$/m, autologin);
  await changeLine(tree, "etc/inittab", /^(.*\/etc\/init\.d\/serial-console)$/m, "$1 autologin", "optional");
  await changeLine(tree, "tmp/mk_conf.yaml", /^mk_log_level:.*$/m, "mk_log_level: DEBUG");
}

async function changeLine(
  tree: FileTree,
  path: string,
  line: RegExp,
  replacement: string,
  need: "required" | "optional" = "required",
): Promise<void> {
  const node = tree.get(path);
  const text = node?.type === "file" ? (await tree.read(path)).toString("latin1") : "";
  if (!line.test(text)) {
    if (need === "optional") return;
    throw new UserError(`the line that this variant changes is missing: ${line.source}`, {
      code: "overlay-line",
      where: `overlay-src/${path}`,
      hint: "restore the file: the variants differ in this line",
    });
  }
  if (node?.type !== "file") return;
  // A dollar sign in a hash is no reference; in our own replacements it is.
  const changed =
    need === "optional" ? text.replace(line, replacement) : text.replace(line, () => replacement);
  tree.set(path, { ...node, content: bytesContent(Buffer.from(changed, "latin1")) });
}

/** A production image has no password at all, of nobody. */
async function refusePasswords(tree: FileTree): Promise<void> {
  const lines = (await tree.read("etc/shadow")).toString("latin1").split("\n");
  for (const [index, line] of lines.entries()) {
    const [user, hash] = line.split(":");
    if (line === "" || hash === undefined || /^[!*]/.test(hash)) continue;
    throw new UserError(`${user} has a password, or none is asked for: a production image allows neither`, {
      code: "password-in-prod",
      where: `overlay-src/etc/shadow:${index + 1}`,
      hint: "write * into the second field",
    });
  }
}
