/** Where passwords of accounts come from that `lists/accounts.yaml` does not hold itself. */
import { readFile } from "node:fs/promises";
import path from "node:path";
import { type Parameter, param, Secret } from "../../src/engine/index.ts";

/** Relative to the workspace. */
export const accountsFile = "lists/accounts.yaml";
/** Directory with the seed that passwords are drawn from; made once, and the user's from then on. */
export const accountSeed = "account-seed";

/**
 * Contents of the files that the list names as `password: {file: PATH}`, by path, as JSON: a secret, of which no record shows anything.
 * Files that cannot be read are left out: the step that hashes them reports that.
 */
export const passwordFiles: Parameter<Secret | undefined> = param.derived({
  name: "password-files",
  description: "files with passwords of accounts",
  default: async (host) => {
    const list = path.join(host.root, accountsFile);
    const text = await readFile(list, "utf8").catch(() => "");
    const names = [...text.matchAll(/\bfile["']?\s*:\s*["']?([^\s"',}#]+)/g)].map(([, name = ""]) => name);
    const paths = names.map((name) => path.resolve(host.root, name));
    host.dependsOn("password files", async () => ({ paths: [list, ...paths], isWhole: true }));
    const contents: Record<string, string> = {};
    for (const [index, name] of names.entries()) {
      const content = await readFile(paths[index] ?? "", "utf8").catch(() => undefined);
      if (content !== undefined) contents[name] = content;
    }
    return Object.keys(contents).length === 0 ? undefined : new Secret(JSON.stringify(contents));
  },
});
