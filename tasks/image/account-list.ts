/** `lists/accounts.yaml`: the users and groups of the image beside Core's, checked value by value. */
import { didYouMean } from "../../src/errors/index.ts";
import { integer, oneOf, text, type ValueRule } from "./settings-file.ts";
import { SettingsYaml } from "./settings-yaml.ts";

export interface UserAccount {
  readonly name: string;
  readonly uid?: number;
  /** Name of the primary group. */
  readonly group?: string;
  readonly groups: readonly string[];
  /** Absolute path in the image. */
  readonly home?: string;
  readonly shell?: string;
  readonly gecos?: string;
  /**
   * A hash as of crypt(5), a file of the project with the password, or how many characters to draw; `locked` for none. Undefined keeps
   * what the image has.
   */
  readonly password?:
    | "locked"
    | { readonly hash: string }
    | { readonly file: string }
    | { readonly random: number };
  /** Lines of `authorized_keys`. */
  readonly keys: readonly string[];
  readonly sudo?: "none" | "all" | "nopasswd";
}

interface GroupAccount {
  readonly name: string;
  readonly gid?: number;
}

export interface AccountList {
  readonly users: readonly UserAccount[];
  readonly groups: readonly GroupAccount[];
  /** Names of users to remove. */
  readonly remove: readonly string[];
  /** The error about a value of the file. */
  readonly error: SettingsYaml["error"];
}

/** Names as useradd(8) allows them. */
const name = text(
  "a name of small letters, digits, _ and -, which begins with a letter or _",
  /^[a-z_][a-z0-9_-]{0,31}$/,
);
/** 0 is root's; 65534 is nobody's (systemd, "Users, Groups, UIDs and GIDs"). */
const id = integer("an integer", 1, 65_533);
const path = text("an absolute path without blanks and colons", /^\/[^:\s]*$/);

const userRules: Readonly<Record<string, ValueRule>> = {
  name,
  uid: id,
  group: name,
  home: path,
  shell: path,
  gecos: text("one line without a colon", /^[^:\r\n]*$/),
  sudo: oneOf("none", "all", "nopasswd"),
};

/** Shorter ones are found by trying; a digest has no more characters. */
const drawnLength = integer("an integer", 12, 64);

/** `$id$salt$hash` and the like, `*` and `!` excluded: crypt(5). */
const hashForm = /^\$[0-9a-z]+\$[^:\s]+$/;

/**
 * Reads the text of the file; `file` is its name in messages.
 * @throws UserError `accounts` with the line
 */
export async function readAccountList(source: string, file: string): Promise<AccountList> {
  const yaml = await SettingsYaml.parse(source, file, "accounts");
  const error = yaml.error.bind(yaml);
  const top = record(yaml.value ?? {});
  if (top === undefined) throw error([], "the file has no keys", "write users:, groups: or remove:");
  refuseUnknown(top, ["users", "groups", "remove"], [], error);
  const users = list(top, "users", error).map((value, index) => userOf(value, ["users", index], error));
  const groups = list(top, "groups", error).map((value, index) => {
    const place = ["groups", index];
    const group = record(value);
    if (group === undefined) throw error(place, "a group must have keys", "write - name: NAME");
    refuseUnknown(group, ["name", "gid"], place, error);
    check(group, { name, gid: id }, place, error);
    if (group.name === undefined) throw error(place, "a group needs a name", "write - name: NAME");
    return group as unknown as GroupAccount;
  });
  const remove = list(top, "remove", error).map((value, index) => {
    if (!name.accepts(value))
      throw error(["remove", index], `a name to remove must be ${name.is}`, "write - NAME");
    return value as string;
  });
  const seen = new Set<string>();
  for (const [index, user] of users.entries()) {
    if (seen.has(user.name) || remove.includes(user.name))
      throw error(["users", index, "name"], `the user ${user.name} is there twice`, "keep one entry");
    seen.add(user.name);
  }
  return { users, groups, remove, error };
}

type Fail = SettingsYaml["error"];

function userOf(value: unknown, place: readonly (string | number)[], error: Fail): UserAccount {
  const user = record(value);
  if (user === undefined) throw error(place, "a user must have keys", "write - name: NAME");
  refuseUnknown(user, [...Object.keys(userRules), "groups", "keys", "password"], place, error);
  check(user, userRules, place, error);
  if (user.name === undefined) throw error(place, "a user needs a name", "write - name: NAME");
  if (user.name === "root" && user.uid !== undefined)
    throw error([...place, "uid"], "root's uid cannot be changed", "remove the line");
  const groups = list(user, "groups", error, place);
  for (const [index, group] of groups.entries())
    if (!name.accepts(group))
      throw error([...place, "groups", index], `a group must be ${name.is}`, "correct it");
  const keys = list(user, "keys", error, place);
  for (const [index, key] of keys.entries())
    if (!isPublicKey(key))
      throw error(
        [...place, "keys", index],
        "this is not a public key of ssh",
        "write the line of a .pub file: TYPE BASE64 [COMMENT]",
      );
  checkPassword(user.password, [...place, "password"], error);
  return { ...user, groups, keys } as unknown as UserAccount;
}

function checkPassword(password: unknown, place: readonly (string | number)[], error: Fail): void {
  if (password === undefined || password === "locked") return;
  const given = record(password);
  const [key, ...more] = Object.keys(given ?? {});
  const value = given?.[key ?? ""];
  if (more.length === 0 && key === "hash" && typeof value === "string" && hashForm.test(value)) return;
  if (more.length === 0 && key === "file" && typeof value === "string" && value !== "") return;
  if (more.length === 0 && key === "random" && drawnLength.accepts(value)) return;
  throw error(
    place,
    key === "hash"
      ? "the hash is not of a form of crypt(5)"
      : key === "random"
        ? `the length of a drawn password must be ${drawnLength.is}`
        : "a password must be locked, or have a hash, a file or a length to draw",
    "write locked, {hash: '$6$…'} as `openssl passwd -6` prints it, {file: PATH}, or {random: 16}",
  );
}

/** sshd(8), AUTHORIZED_KEYS FILE FORMAT: a type, and base64 that begins with the same type (RFC 4253, 6.6). */
function isPublicKey(line: unknown): boolean {
  if (typeof line !== "string" || /[\r\n]/.test(line)) return false;
  const [type = "", data = ""] = line.trim().split(/\s+/);
  if (
    !/^(ssh-(rsa|ed25519|dss)|ecdsa-sha2-nistp\d+|sk-(ssh-ed25519|ecdsa-sha2-nistp256)@openssh\.com)$/.test(
      type,
    )
  )
    return false;
  const bytes = Buffer.from(data, "base64");
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(data) || bytes.length < 4) return false;
  return bytes.subarray(4, 4 + bytes.readUInt32BE(0)).toString("latin1") === type;
}

function record(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Readonly<Record<string, unknown>>)
    : undefined;
}

function list(
  from: Readonly<Record<string, unknown>>,
  key: string,
  error: Fail,
  place: readonly (string | number)[] = [],
): readonly unknown[] {
  const value = from[key] ?? [];
  if (Array.isArray(value)) return value;
  throw error([...place, key], `"${key}" must be a list`, "write each entry on a line of its own: - ENTRY");
}

function refuseUnknown(
  from: Readonly<Record<string, unknown>>,
  known: readonly string[],
  place: readonly (string | number)[],
  error: Fail,
): void {
  for (const key of Object.keys(from))
    if (!known.includes(key))
      throw error(
        [...place, key],
        `"${key}" is not a key of accounts`,
        didYouMean(key, known) ?? `known keys: ${known.join(", ")}`,
      );
}

function check(
  from: Readonly<Record<string, unknown>>,
  rules: Readonly<Record<string, ValueRule>>,
  place: readonly (string | number)[],
  error: Fail,
): void {
  for (const [key, { accepts, is }] of Object.entries(rules))
    if (from[key] !== undefined && !accepts(from[key]))
      throw error([...place, key], `"${key}" must be ${is}`, "correct the value");
}
