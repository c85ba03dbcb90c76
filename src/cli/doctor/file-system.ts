/**
 * What the workspace's file system can do, found by trying in a directory that is removed again.
 */
import {
  chmodSync,
  constants,
  copyFileSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdtempSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { systemReason } from "../../errors/index.ts";
import type { Line } from "./line.ts";

/** `root` is the workspace's absolute path; where the cache is, is tried, for that is where builds work. */
export async function checkFileSystem(root: string): Promise<readonly Line[]> {
  const cache = path.join(root, ".buildcache");
  const parent = existsSync(cache) ? cache : root;
  let directory: string;
  try {
    directory = mkdtempSync(path.join(parent, ".doctor-"));
  } catch (error) {
    const text = `${parent} cannot be written: ${systemReason(error)}`;
    return [{ check: "files", status: "missing", text, hint: "make it writable for your user" }];
  }
  try {
    return [needed(directory), reflinks(directory)];
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Without these an image's files could not be laid out as they are meant. */
function needed(directory: string): Line {
  const file = path.join(directory, "file");
  writeFileSync(file, "", { mode: 0o644 });
  const lacks: string[] = [];
  const attempt = (what: string, works: () => boolean): void => {
    try {
      if (!works()) lacks.push(what);
    } catch {
      lacks.push(what);
    }
  };
  attempt("case-sensitive names", () => !existsSync(path.join(directory, "FILE")));
  attempt("symbolic links", () => {
    symlinkSync("file", path.join(directory, "link"));
    return lstatSync(path.join(directory, "link")).isSymbolicLink();
  });
  attempt("hard links", () => {
    linkSync(file, path.join(directory, "same"));
    return statSync(file).nlink === 2;
  });
  attempt("the executable bit", () => {
    chmodSync(file, 0o755);
    const set = (statSync(file).mode & 0o111) !== 0;
    chmodSync(file, 0o644);
    return set && (statSync(file).mode & 0o111) === 0;
  });
  const check = "files";
  if (lacks.length === 0)
    return { check, status: "good", text: "supports case-sensitive names, links and the executable bit" };
  const text = `the file system does not support ${lacks.join(", ")}`;
  return {
    check,
    status: "missing",
    text,
    hint: "put the project on a Linux file system, such as ext4 or xfs",
  };
}

function reflinks(directory: string): Line {
  const check = "reflink";
  const file = path.join(directory, "content");
  writeFileSync(file, Buffer.alloc(65_536, 1));
  try {
    copyFileSync(file, path.join(directory, "copy"), constants.COPYFILE_FICLONE_FORCE);
    return { check, status: "good", text: "supported: copies share disk space" };
  } catch {
    return {
      check,
      status: "good",
      text: "not supported: each copy takes disk space, as on most file systems",
    };
  }
}
