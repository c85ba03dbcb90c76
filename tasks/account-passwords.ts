/**
 * Passwords of `lists/accounts.yaml` that are not hashes: read from files, or drawn once for each workspace. Needed only where the list
 * has any.
 */
import { createHmac, randomBytes } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { file, files, type GenerateContext, out, task } from "../src/engine/index.ts";
import { readAccountList, type UserAccount } from "./image/account-list.ts";
import { accountSeed, accountsFile, passwordFiles } from "./settings/account-options.ts";

/** Whether the text of the list has such a password. */
export function drawsPasswords(accounts: string): boolean {
  return /^[^#]*\bpassword["']?\s*:\s*(\{\s*)?["']?(file|random)\b|^\s*["']?(file|random)["']?\s*:/m.test(
    accounts,
  );
}

export const accountPasswords = task({
  name: "account-passwords",
  description: "Hash the passwords of lists/accounts.yaml that are in files or drawn",
  internal: true,
  inputs: {
    accounts: file(accountsFile),
    seed: files(["seed"], { root: accountSeed, generate: { tools: [], make: makeSeed } }),
  },
  params: { passwordFiles },
  tools: ["openssl"],
  outputs: {
    /** An object of hashes as of crypt(5), by user. */
    hashes: out.file("hashes.json", { private: true }),
    /** `NAME PASSWORD` of each password that was drawn. */
    drawn: out.artifact(({ variant }) => `build-files/passwords.${variant}`, { private: true }),
  },
  async run({ $, inputs, params, outputs, note, variant }) {
    const seed = await readFile(path.join(inputs.seed.root, "seed"));
    const accounts = await readAccountList(await readFile(inputs.accounts, "utf8"), accountsFile);
    const contents = JSON.parse(params.passwordFiles?.reveal() ?? "{}") as Readonly<Record<string, string>>;
    const hashes: Record<string, string> = {};
    const drawn: string[] = [];
    for (const [index, user] of accounts.users.entries()) {
      const password = passwordOf(user, seed, contents, (message, hint) =>
        accounts.error(["users", index, "password"], message, hint),
      );
      if (password === undefined) continue;
      // crypt(5): $6$ takes 16 characters of salt. One of its own for each user, but the same in each build.
      const salt = letters(createHmac("sha256", seed).update(`salt ${user.name}`).digest(), 16);
      // Through a pipe: process arguments can be read by everybody on the machine.
      const { stdout } = await $({
        input: `${password}\n`,
        stdio: ["pipe", "pipe", "pipe"],
      })`openssl passwd -6 -salt ${salt} -stdin`;
      hashes[user.name] = stdout.trim();
      if (typeof user.password === "object" && "random" in user.password)
        drawn.push(`${user.name} ${password}\n`);
    }
    await writeFile(outputs.hashes, `${JSON.stringify(hashes)}\n`);
    await writeFile(outputs.drawn, drawn.join(""));
    if (drawn.length > 0) note(`build-files/passwords.${variant} has the passwords that were drawn`);
  },
});

function passwordOf(
  { name, password }: UserAccount,
  seed: Buffer,
  contents: Readonly<Record<string, string>>,
  fail: (message: string, hint: string) => Error,
): string | undefined {
  if (typeof password !== "object" || "hash" in password) return undefined;
  if ("random" in password)
    return letters(createHmac("sha512", seed).update(`password ${name}`).digest(), password.random);
  const text = contents[password.file]?.replace(/\r?\n$/, "");
  if (text === undefined)
    throw fail(`there is no file ${password.file}`, "write its path relative to the project");
  if (text === "" || /[\0\r\n]/.test(text))
    throw fail(
      `${password.file} has no password on its one line`,
      "write the password into it, and nothing else",
    );
  return text;
}

/** Letters and digits that look like no other, some 5 bits each. */
const alphabet = "abcdefghjkmnpqrstuvwxyz23456789";

function letters(bytes: Buffer, count: number): string {
  return [...bytes.subarray(0, count)].map((byte) => alphabet[byte % alphabet.length]).join("");
}

async function makeSeed({ directory }: GenerateContext): Promise<void> {
  await writeFile(path.join(directory, "seed"), randomBytes(32), { mode: 0o600 });
}
