/**
 * Putting outputs in their places, and what may stand in the way. An output is made beside and renamed, so that an
 * interrupted build leaves either the old one or the new one.
 */
import { lstatSync, mkdirSync, renameSync, rmSync, type Stats, statSync } from "node:fs";
import { copyFile, lstat, rename, rm, utimes } from "node:fs/promises";
import path from "node:path";
import { systemErrorCode, UserError } from "../../errors/index.ts";
import type { BoundOutput } from "../bind/bound-task.ts";
import { realPath } from "../files/link-path.ts";
import { writeSparseFile } from "../files/sparse-file.ts";

/**
 * Moves a staged output to its place, replacing what was there. `trash` is a directory on the cache's file system for
 * what is replaced; the caller removes it. Below `outputRoot` every directory is the engine's: whatever else stands in
 * the way there, a link that leads elsewhere for one, is removed.
 */
export async function placeOutput(
  staged: string,
  output: BoundOutput,
  trash: string,
  outputRoot: string,
): Promise<void> {
  if (output.place === "cache") clearWay(path.dirname(output.path), outputRoot);
  makeDirectory(path.dirname(output.path));
  const old = lstatIfThere(output.path);
  if (old !== undefined && (old.isDirectory() || output.kind === "directory")) {
    mkdirSync(trash, { recursive: true });
    await move(output.path, path.join(trash, output.slot));
  }
  await move(staged, output.path, output.sparse ? copySparse : copyTree);
}

/**
 * Refuses an artifact whose directory is reached through a link that leaves the workspace (absolute path): nothing is
 * written there that the workspace does not own. To be called before the work that makes it. What does not exist yet
 * is no link.
 */
export function refuseEscape(output: BoundOutput, workspace: string): void {
  if (output.place === "cache") return;
  const directory = path.dirname(output.path);
  const names = path.relative(workspace, directory).split("/");
  let way = workspace;
  for (const name of names) {
    way = path.join(way, name);
    const status = lstatIfThere(way);
    if (status === undefined) return;
    if (!status.isSymbolicLink()) continue;
    const target = realpathIfThere(way);
    const home = realPath(workspace);
    if (target !== undefined && (target === home || target.startsWith(`${home}/`))) continue;
    throw new UserError("the directory of an output is a symlink that leaves the workspace", {
      code: "output-escapes",
      where: way,
      hint: "replace it by a directory (a bind mount may put it on another disk), or move its target into the workspace",
    });
  }
}

function realpathIfThere(target: string): string | undefined {
  try {
    return realPath(target);
  } catch {
    return undefined;
  }
}

function clearWay(directory: string, outputRoot: string): void {
  const names = path.relative(path.dirname(outputRoot), directory).split("/");
  let way = path.dirname(outputRoot);
  for (const name of names) {
    way = path.join(way, name);
    const status = lstatIfThere(way);
    if (status === undefined) return;
    if (!status.isDirectory()) {
      rmSync(way);
      return;
    }
  }
}

function makeDirectory(directory: string): void {
  try {
    // To look is half the work of making it in vain.
    if (!statSync(directory, { throwIfNoEntry: false })?.isDirectory())
      mkdirSync(directory, { recursive: true });
  } catch (error) {
    const code = systemErrorCode(error);
    if (code !== "EEXIST" && code !== "ENOTDIR") throw error;
    throw new UserError("the directory of an output cannot be created: a file has its name", {
      code: "output-blocked",
      where: directory,
      hint: "move that file away",
      cause: error,
    });
  }
}

/** Renames, or across file systems copies beside the target and renames there. */
async function move(from: string, to: string, copy = copyTree): Promise<void> {
  try {
    renameSync(from, to);
  } catch (error) {
    if (systemErrorCode(error) !== "EXDEV") throw error;
    const beside = path.join(path.dirname(to), `.${path.basename(to)}.${process.pid}.tmp`);
    try {
      await copy(from, beside);
      await rename(beside, to);
    } catch (copyError) {
      await rm(beside, { recursive: true, force: true });
      throw copyError;
    }
    await rm(from, { recursive: true });
  }
}

async function copyTree(from: string, to: string): Promise<void> {
  const { cp } = await import("node:fs/promises");
  const status = await lstat(from);
  if (status.isFile()) return copyFile(from, to);
  await cp(from, to, { recursive: true, verbatimSymlinks: true });
}

/** Copies a file with its holes and its time. */
async function copySparse(from: string, to: string): Promise<void> {
  const { size, atimeNs, mtimeNs } = await lstat(from, { bigint: true });
  await writeSparseFile(to, Number(size), [{ offset: 0, file: from }], new AbortController().signal);
  await utimes(to, Number(atimeNs / 1000n) / 1e6, Number(mtimeNs / 1000n) / 1e6);
}

function lstatIfThere(target: string): Stats | undefined {
  return lstatSync(target, { throwIfNoEntry: false });
}
