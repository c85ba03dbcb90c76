/** One entry of a tarball in our words: what it is, and where it lies. */
import type { ReadEntry } from "tar";
import { type ErrorCode, UserError } from "../errors/index.ts";
import { isUtf8Name, normaliseName, printName } from "./names.ts";
import type { RawNames } from "./tar-names.ts";
import type { Metadata, TreeNode } from "./tree-node.ts";

export interface TarballEntry extends Metadata {
  /** As the tarball has it, in normal form. */
  readonly path: string;
  readonly type: TreeNode["type"] | "hard-link";
  readonly size: number;
  /** Of a symbolic or hard link. */
  readonly target?: string;
  /** Names of extended attributes, which trees cannot hold, where there are any. */
  readonly attributes?: readonly string[];
}

type EntryType = TarballEntry["type"];

const types: Readonly<Partial<Record<string, EntryType>>> = {
  File: "file",
  OldFile: "file",
  ContiguousFile: "file",
  Directory: "directory",
  SymbolicLink: "symlink",
  Link: "hard-link",
  CharacterDevice: "char",
  BlockDevice: "block",
  FIFO: "fifo",
};

/**
 * What an entry is; `archive` is the tarball's path, for messages. `raw` has the names as they are: the parser gives text, and of
 * a pax header with other bytes than UTF-8 nothing at all.
 * @throws UserError `unsafe-name`, `unsupported-entry`
 */
export function describeEntry(
  entry: ReadEntry,
  archive: string,
  raw: RawNames | undefined,
  anyBytes = false,
): TarballEntry {
  const type = types[entry.type];
  const { uid = 0, gid = 0, mode = 0, mtime, size } = entry;
  const foreign = raw === undefined || !isUtf8Name(`${raw.path}${raw.linkpath}`);
  if (foreign && !anyBytes) {
    throw refuseMember(
      "unsafe-name",
      "has a name or link target that is not valid UTF-8",
      archive,
      raw?.path ?? entry.path,
    );
  }
  const { path: name, linkpath } = (foreign ? raw : undefined) ?? entry;
  const path = normaliseName(name, archive);
  if (raw?.disguise !== undefined) {
    throw refuseMember("unsupported-entry", disguiseOf(raw.disguise), archive, path);
  }
  if (type === undefined) {
    throw refuseMember("unsupported-entry", `has the unsupported type ${entry.type}`, archive, path);
  }
  const metadata = { mode: mode & 0o7777, uid, gid, mtime: Math.floor((mtime?.getTime() ?? 0) / 1000) };
  const link = type === "symlink" || type === "hard-link" ? { target: linkpath ?? "" } : {};
  const { attributes = [] } = raw ?? {};
  const extended = attributes.length === 0 ? {} : { attributes };
  return { path, type, size: type === "file" ? size : 0, ...link, ...extended, ...metadata };
}

function disguiseOf(record: string): string {
  return /sparse|realsize/.test(record)
    ? `is a sparse file (${record}), which is not supported; pack it without tar's option --sparse`
    : `follows a pax header that gives all members the same ${record}`;
}

/** The error for a member at `path` of a tarball that is not to be had; `why` follows its name. */
export function refuseMember(code: ErrorCode, why: string, archive: string, path: string): UserError {
  return new UserError(`the tarball's member ${printName(path)} ${why}`, {
    code,
    where: `${printName(archive)}: ${printName(path)}`,
    hint: "get the file from a source that you trust",
  });
}
