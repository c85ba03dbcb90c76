/**
 * How developers get into a dev or debug image: the password of the user tc, and ssh with host keys that stay the
 * same from build to build. Production images have none of this.
 */
import { randomBytes } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { files, type GenerateContext, out, task } from "../src/engine/index.ts";
import { bytesContent, FileTree, treeFromDirectory, writeTarball } from "../src/formats/index.ts";
import { imagePolicy } from "./image/image-tree.ts";
import { devKeys, passwordHash, passwordOrDefault, tcPassword } from "./settings/access-options.ts";
import { undated } from "./settings/undated.ts";

const keyTypes = ["ecdsa", "ed25519", "rsa"] as const;
const sshDirectory = "usr/local/etc/ssh";

const serverSettings = `# Made for dev and debug images only.
${keyTypes.map((type) => `HostKey /${sshDirectory}/ssh_host_${type}_key`).join("\n")}
PidFile /var/run/sshd.pid
PermitRootLogin no
PasswordAuthentication yes
Subsystem sftp internal-sftp
`;

const clientSettings = `# Made for dev and debug images only.
Host *
  ForwardAgent no
  ForwardX11 no
`;

export const devAccess = task({
  name: "dev-access",
  description: "Make the ssh setup files and the password hash for dev and debug images",
  internal: true,
  inputs: {
    keys: files(["salt", "ssh_host_*_key", "ssh_host_*_key.pub"], {
      root: devKeys,
      generate: { tools: ["ssh-keygen"], make: makeKeys },
    }),
  },
  params: { tcPassword, passwordHash },
  tools: ["openssl"],
  outputs: {
    passwordHash: out.file("password-hash", { private: true }),
    /** With the host keys' private halves. */
    setup: out.file("ssh-setup-files.tar.gz", { private: true }),
  },
  async run({ $, inputs, params, outputs }) {
    const salt = (await readFile(path.join(inputs.keys.root, "salt"), "utf8")).trim();
    // crypt(5): $6$ takes 16 characters of salt, $1$ takes 8.
    const kind = params.passwordHash === "md5" ? ["-1", "-salt", salt.slice(0, 8)] : ["-6", "-salt", salt];
    const password = passwordOrDefault(params.tcPassword);
    // The password goes through a pipe: process arguments can be read by everybody on the machine. The hash goes into the file: what a
    // command prints is shown and recorded.
    await $({
      input: `${password}\n`,
      stdio: ["pipe", "pipe", "pipe"],
    })`openssl passwd ${kind} -stdin > ${outputs.passwordHash}`;
    const hash = await readFile(outputs.passwordHash, "utf8");
    await writeFile(outputs.passwordHash, hash.trim());

    const mtime = undated;
    const keys = await treeFromDirectory(inputs.keys.root, {
      mtime,
      policy: imagePolicy,
      filter: (name) => name !== "salt",
    });
    const tree = new FileTree()
      .addTree(keys, sshDirectory)
      .addFile(`${sshDirectory}/sshd_config`, bytesContent(serverSettings), { mtime })
      .addFile(`${sshDirectory}/ssh_config`, bytesContent(clientSettings), { mtime })
      .ensureParents({ mtime });
    await writeTarball(tree, outputs.setup);
  },
});

/** Host keys, and the salt of the password's hash: without one of its own every build would hash differently. */
async function makeKeys({ directory, $ }: GenerateContext): Promise<void> {
  for (const type of keyTypes) {
    await $`ssh-keygen -q -t ${type} -N "" -C ${"razor-mk dev image"} -f ${path.join(directory, `ssh_host_${type}_key`)}`;
  }
  // Base64 without the characters that crypt(5) does not take in a salt.
  const salt = randomBytes(12).toString("base64").replaceAll("+", ".").replaceAll("=", "");
  await writeFile(path.join(directory, "salt"), `${salt}\n`, { mode: 0o600 });
}
