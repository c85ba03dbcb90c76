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
 * Changes the tree in place; `directory` is what messages call the place that it comes from. `passwordHash` is the
 * absolute path of a file with tc's hash in crypt(5)'s form, or undefined where tc is locked.
 */
export async function adaptToVariant(
  tree: FileTree,
  variant: string,
  passwordHash: string | undefined,
  directory: string,
): Promise<void> {
  const changeLine = (name: string, line: RegExp, to: string, need?: "optional") =>
    replaceLine(tree, { directory, name }, line, to, need);
  const hash = passwordHash === undefined ? "*" : (await readFile(passwordHash, "utf8")).trim();
  await changeLine("etc/shadow", /^tc:[^:]*:/m, `tc:${hash.replaceAll("$", "$$$$")}:`);
  if (variant !== "debug") return;
  await changeLine("etc/inittab", /^tty1:.*$/m, autologin);
  await changeLine("etc/inittab", /^(.*\/etc\/init\.d\/serial-console)$/m, "$1 autologin", "optional");
  // A system without the Microkernel's controller has no settings of it.
  const settings = "tmp/mk_conf.yaml";
  if (tree.has(settings)) await changeLine(settings, /^(mk_log_level:\s*(?:Logger::)?)\w+/m, "$1DEBUG");
}

async function replaceLine(
  tree: FileTree,
  { directory, name }: { readonly directory: string; readonly name: string },
  line: RegExp,
  replacement: string,
  need: "required" | "optional" = "required",
): Promise<void> {
  const node = tree.get(name);
  const text = node?.type === "file" ? (await tree.read(name)).toString("latin1") : "";
  if (!line.test(text)) {
    if (need === "optional") return;
    throw new UserError(`a line that this variant changes is missing: ${line.source}`, {
      code: "overlay-line",
      where: `${directory}/${name}`,
      hint: "restore the file",
    });
  }
  if (node?.type !== "file") return;
  tree.set(name, { ...node, content: bytesContent(Buffer.from(text.replace(line, replacement), "latin1")) });
}

/**
 * Refuses a password of any account in the tree of a production image, whatever put it there; `directory` is as above.
 * @throws UserError `password-in-prod`
 */
export async function refusePasswords(tree: FileTree, directory: string): Promise<void> {
  const found = await findPassword(tree);
  if (found !== undefined) refusePassword(found, directory);
}

/** `etc/shadow:LINE: USER` of the first account with a password or an empty one; undefined where there is none. */
export async function findPassword(tree: FileTree): Promise<string | undefined> {
  if (tree.get("etc/shadow")?.type !== "file") return undefined;
  const lines = (await tree.read("etc/shadow")).toString("latin1").split("\n");
  for (const [index, line] of lines.entries()) {
    const [user, hash] = line.split(":");
    if (line !== "" && hash !== undefined && !/^[!*]/.test(hash)) return `etc/shadow:${index + 1}: ${user}`;
  }
  return undefined;
}

/**
 * Refuses what `findPassword` found for a production image.
 * @throws UserError `password-in-prod`
 */
export function refusePassword(found: string, directory: string): never {
  const [file = "", line = "", user = ""] = found.split(/:(?: )?/);
  throw new UserError(`${user} has a password or an empty one, which a production image does not allow`, {
    code: "password-in-prod",
    where: `${directory}/${file}:${line}`,
    hint: "write * into the second field",
  });
}
