/**
 * The accounts of `lists/accounts.yaml` merged into the image's passwd, group, shadow and sudoers, line by line.
 *
 * Formats: passwd(5), group(5), shadow(5), sudoers(5), sshd(8).
 */
import path from "node:path";
import { bytesContent, type FileTree } from "../../src/formats/index.ts";
import { AccountFiles } from "./account-files.ts";
import type { AccountList, UserAccount } from "./account-list.ts";

interface Surroundings {
  /** Core's own files, with contents. */
  readonly core: FileTree;
  /** Whether the image has a path, from whatever layer. */
  readonly has: (path: string) => boolean;
  readonly variant: string;
  /** Hashes of passwords that the list does not hold itself, by user. */
  readonly hashes: Readonly<Record<string, string>>;
  /** Seconds since 1970. */
  readonly mtime: number;
}

/** The first uid for users, which Tiny Core gives to tc (Core-scripts, etc/init.d/tc-config: `adduser`). */
const firstUid = 1001;
/** Days since 1970 of the last change of a password, as Core's shadow has it: a fixed day, for the same bytes. */
const changed = 19_000;

/** Merges the accounts into `tree`, the image's own files. @throws UserError `accounts` with the line */
export async function addAccounts(
  tree: FileTree,
  accounts: AccountList,
  around: Surroundings,
): Promise<void> {
  const files = await AccountFiles.read(tree, around.core);
  for (const [index, name] of accounts.remove.entries()) {
    if (!files.passwd.has(name))
      throw accounts.error(["remove", index], `there is no user ${name}`, "remove the line");
    files.remove(name);
  }
  for (const [index, { name, gid }] of accounts.groups.entries()) {
    const place = ["groups", index];
    if (files.group.has(name))
      throw accounts.error(place, `the group ${name} is there already`, "remove the entry");
    const holder = gid === undefined ? undefined : files.group.holderOf(2, `${gid}`);
    if (holder !== undefined)
      throw accounts.error(
        [...place, "gid"],
        `the gid ${gid} belongs to ${holder}`,
        "choose another gid, or none",
      );
    files.group.set(name, [name, "x", `${gid ?? files.group.free(2, firstUid)}`, ""]);
  }
  for (const [index, user] of accounts.users.entries()) addUser(tree, files, accounts, index, user, around);
  files.write(tree, around.mtime);
}

function addUser(
  tree: FileTree,
  files: AccountFiles,
  { error }: AccountList,
  index: number,
  user: UserAccount,
  around: Surroundings,
): void {
  const { name } = user;
  const at = (key: string) => ["users", index, key];
  const known = files.passwd.get(name);
  const [, , knownUid, knownGid, knownGecos, knownHome, knownShell] = known ?? [];
  const holder = user.uid === undefined ? undefined : files.passwd.holderOf(2, `${user.uid}`);
  if (holder !== undefined && holder !== name)
    throw error(at("uid"), `the uid ${user.uid} belongs to ${holder}`, "choose another uid, or none");
  if (knownUid !== undefined && user.uid !== undefined && knownUid !== `${user.uid}`)
    throw error(at("uid"), `${name} has the uid ${knownUid} already`, "remove the line");
  const uid = knownUid ?? `${user.uid ?? files.passwd.free(2, firstUid)}`;
  const groupNamed = user.group ?? (knownGid === undefined ? "staff" : undefined);
  const gid = groupNamed === undefined ? knownGid : files.group.get(groupNamed)?.[2];
  if (gid === undefined)
    throw error(
      at("group"),
      `there is no group ${groupNamed}`,
      "name one of the image's, or add it to groups:",
    );
  for (const [place, group] of user.groups.entries()) {
    if (!files.group.has(group))
      throw error(
        [...at("groups"), place],
        `there is no group ${group}`,
        "name one of the image's, or add it to groups:",
      );
    files.join(name, group);
  }
  const shell = user.shell ?? knownShell ?? "/bin/sh";
  if (user.shell !== undefined && !shell.startsWith("/usr/local/") && !around.has(shell.slice(1)))
    throw error(at("shell"), `the image has no ${shell}`, "name a shell of the image");
  const home = user.home ?? knownHome ?? `/home/${name}`;
  files.passwd.set(name, [
    name,
    "x",
    uid,
    gid,
    user.gecos === undefined ? (knownGecos ?? "") : bytesOf(user.gecos),
    home,
    shell,
  ]);
  const hash = hashOf(user, error, at("password"), around);
  const shadow = files.shadow.get(name) ?? [name, "*", `${changed}`, "0", "99999", "7", "", "", ""];
  files.shadow.set(name, shadow.with(1, hash ?? shadow[1] ?? "*"));
  if (user.sudo !== undefined) files.allow(name, user.sudo);
  addHome(tree, home.slice(1), { uid: Number(uid), gid: Number(gid) }, user.keys, around);
}

/** A text as the bytes of its UTF-8, each a character, as the files are read here. */
function bytesOf(text: string): string {
  return Buffer.from(text, "utf8").toString("latin1");
}

/** The second field of shadow; undefined keeps what the image has. */
function hashOf(
  { name, password }: UserAccount,
  error: AccountList["error"],
  place: readonly (string | number)[],
  { variant, hashes }: Surroundings,
): string | undefined {
  if (password === undefined || password === "locked") return password === undefined ? undefined : "*";
  if (variant === "prod")
    throw error(
      place,
      `${name} has a password, which a production image does not allow`,
      "write password: locked, and use keys",
    );
  return "hash" in password ? password.hash : hashes[name];
}

/**
 * The home directory with what Core's skel has, and the keys. All of it is the user's: Core changes the owner of a home only
 * while nothing is in it (Core-scripts, etc/init.d/tc-functions, `setupHome`).
 */
function addHome(
  tree: FileTree,
  home: string,
  owner: { readonly uid: number; readonly gid: number },
  keys: readonly string[],
  { core, mtime }: Surroundings,
): void {
  const own = (name: string): void => {
    const node = tree.get(name);
    if (node !== undefined) tree.set(name, { ...node, ...owner });
  };
  if (home.startsWith("home/")) {
    tree.addDirectory(home, { mtime });
    for (const from of [core, tree])
      for (const name of from.below("etc/skel")) {
        const node = from.get(name);
        const target = path.posix.join(home, path.posix.relative("etc/skel", name));
        if (node !== undefined && !tree.has(target)) tree.set(target, { ...node, mtime });
      }
    for (const name of [home, ...tree.below(home)]) own(name);
  }
  if (keys.length === 0) return;
  tree.addDirectory(`${home}/.ssh`, { mtime, mode: 0o700, ...owner });
  const text = keys.map((key) => `${key.trim()}\n`).join("");
  tree.addFile(`${home}/.ssh/authorized_keys`, bytesContent(text), { mtime, mode: 0o600, ...owner });
}
