/** The files of a project: those that git knows or would add, or all but what builds make. */
import { execFile } from "node:child_process";
import { readdirSync } from "node:fs";
import path from "node:path";
import {
  decodeName,
  type FileTree,
  parentOf,
  rootOwned,
  treeFromDirectory,
} from "../../src/formats/index.ts";
import { gitCommand } from "../../src/host/index.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** Directories of builds and of packages, which are made again. */
const made = new Set([".buildcache", ".git", "build-files", "node_modules"]);

/**
 * The project's files, links and empty directories below `root` (absolute) as a tree, with the permissions that they have on
 * disk. Outside of a repository, everything but the directories of builds, of git and of node modules.
 */
export async function projectTree(root: string, env: Environment, mtime: number): Promise<FileTree> {
  const known = await knownToGit(root, env);
  return await treeFromDirectory(root, {
    mtime,
    policy: (name, entry) => ({
      ...rootOwned(name, entry),
      ...(entry.type === "symlink" ? {} : { mode: entry.diskMode & 0o7777 }),
    }),
    filter: (name, { type }) => {
      if (made.has(name)) return false;
      if (known === undefined || known.has(name)) return true;
      return type === "directory" && readdirSync(path.join(root, name)).length === 0;
    },
  });
}

/** Paths relative to `root`, with those of all parent directories; undefined outside of a repository, or without git. */
async function knownToGit(root: string, given: Environment): Promise<ReadonlySet<string> | undefined> {
  const listing = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
  const { args, env } = gitCommand(root, listing, given);
  const output = await new Promise<Buffer | undefined>((resolve) => {
    execFile("git", args, { env, maxBuffer: 256 * 1024 * 1024, encoding: "buffer" }, (error, stdout) =>
      resolve(error === null ? stdout : undefined),
    );
  });
  if (output === undefined) return undefined;
  const known = new Set<string>();
  for (const bytes of output.toString("latin1").split("\0")) {
    let name: string | undefined = decodeName(Buffer.from(bytes, "latin1"));
    for (; name !== undefined && name !== "" && !known.has(name); name = parentOf(name)) known.add(name);
  }
  return known;
}
