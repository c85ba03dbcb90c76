/** A directory that stands for the host's files: whatever is unpacked beside it, it must stay as it was. */
import { lstat, mkdir, readdir, readFile, readlink, writeFile } from "node:fs/promises";
import path from "node:path";

export interface Canary {
  /** Absolute. */
  readonly directory: string;
  /** A file in it whose text must not get out. */
  readonly secret: string;
  /** What is in it now, with contents, modes and times. */
  look(): Promise<readonly string[]>;
}

/** The text of the secret file. */
export const secretText = "HOST-SECRET";

/** Makes the directory (absolute) with what hostile packages like to reach. */
export async function makeCanary(directory: string): Promise<Canary> {
  for (const name of ["doc", "man", "share/doc", "postinst", "tce.installed"]) {
    await mkdir(path.join(directory, name), { recursive: true });
    await writeFile(path.join(directory, name, "own"), `${name} of the host\n`);
  }
  const secret = path.join(directory, "secret");
  await writeFile(secret, `timeout 300\n${secretText}\n`, { mode: 0o600 });
  return { directory, secret, look: () => describe(directory, "") };
}

async function describe(root: string, below: string): Promise<string[]> {
  const found: string[] = [];
  for (const name of (await readdir(path.join(root, below))).sort()) {
    const at = path.join(below, name);
    const file = path.join(root, at);
    const { mode, mtimeMs, ctimeMs } = await lstat(file);
    const kind = (mode & 0o170000).toString(8);
    if (kind === "40000") found.push(at, ...(await describe(root, at)));
    else {
      const content = kind === "120000" ? await readlink(file) : await readFile(file, "latin1");
      found.push(`${at} ${mode} ${mtimeMs} ${ctimeMs} ${content}`);
    }
  }
  return found;
}
