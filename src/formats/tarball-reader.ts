/**
 * Tarballs, read: a listing, or a tree whose contents are spooled to disk. Entries that could do harm are refused.
 * It knows nothing of where the tree goes.
 */
import { type FileHandle, mkdir, mkdtemp, open } from "node:fs/promises";
import type { ReadEntry } from "tar";
import { UserError } from "../errors/index.ts";
import type { UnpackLimits } from "./limits.ts";
import { followLinks } from "./links.ts";
import { encodeName, isUtf8Name, normaliseName, parentOf, printName } from "./names.ts";
import type { RawNames } from "./tar-names.ts";
import { type EntryVisitor, visitTarball } from "./tarball-entries.ts";
import { type FileNode, FileTree, type Metadata, type TreeNode } from "./tree.ts";

/** What a tarball may hold beside files, directories and harmless links; by default nothing. */
export interface TarballPolicy extends UnpackLimits {
  readonly devices?: boolean;
  readonly setId?: boolean;
  /** Whether names and link targets may be bytes that are not UTF-8; they are as `decodeName` gives them. */
  readonly anyBytes?: boolean;
  /**
   * Where symbolic links may lead: "inside" the tree by relative targets (default); within an "image", whose root absolute
   * targets start from; or "any" where.
   */
  readonly links?: "inside" | "image" | "any";
}

export interface TarballEntry extends Metadata {
  /** As the tarball has it, in normal form. */
  readonly path: string;
  readonly type: TreeNode["type"] | "hard-link";
  readonly size: number;
  /** Of a symbolic or hard link. */
  readonly target?: string;
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
 * Every entry of the tarball at `path` (absolute), in its order; nothing is unpacked to disk. Unsafe names and bombs are refused,
 * the rest of the policy is `treeFromTarball`'s.
 * @throws UserError as `visitTarball`, `unsafe-name`, `unsupported-entry`
 */
export async function listTarball(path: string, limits: UnpackLimits = {}): Promise<readonly TarballEntry[]> {
  const entries: TarballEntry[] = [];
  await visitTarball(
    path,
    {
      enter: (entry, raw) => {
        entries.push(describe(entry, path, raw));
      },
      take: () => {},
      flush: async () => {},
    },
    limits,
  );
  return entries;
}

/**
 * The bytes of the regular files that `wanted` says yes to, by path; it is asked about every entry, in their order. For a
 * few small files of a tarball that may be large.
 * @throws UserError as `listTarball`
 */
export async function readTarballFiles(
  path: string,
  wanted: (entry: TarballEntry) => boolean,
  limits: UnpackLimits = {},
): Promise<ReadonlyMap<string, Buffer>> {
  const found = new Map<string, Buffer[]>();
  let current: Buffer[] | undefined;
  await visitTarball(
    path,
    {
      enter: (entry, raw) => {
        const described = describe(entry, path, raw);
        current = wanted(described) && described.type === "file" ? [] : undefined;
        if (current !== undefined) found.set(described.path, current);
      },
      take: (bytes) => {
        current?.push(Buffer.from(bytes));
      },
      flush: async () => {},
    },
    limits,
  );
  return new Map([...found].map(([name, pieces]) => [name, Buffer.concat(pieces)]));
}

/**
 * Reads the tarball at `path` into a tree; contents go to one file in a new folder below `spoolDir` (both absolute),
 * which the caller removes when the tree is done with. Missing parents stay missing.
 * @throws UserError as `listTarball`, `unsafe-entry`, `duplicate-entry`, `unsafe-link`
 */
export async function treeFromTarball(
  path: string,
  spoolDir: string,
  policy: TarballPolicy = {},
): Promise<FileTree> {
  await mkdir(spoolDir, { recursive: true });
  const spool = `${await mkdtemp(`${spoolDir}/tarball-`)}/contents`;
  const handle = await open(encodeName(spool), "w", 0o600);
  try {
    const builder = new TreeBuilder(path, spool, handle, policy);
    await visitTarball(path, builder, policy);
    builder.finish();
    return builder.tree;
  } finally {
    await handle.close();
  }
}

/** `raw` has the names as they are: the parser gives text, and of a pax header with other bytes than UTF-8 nothing at all. */
function describe(
  entry: ReadEntry,
  archive: string,
  raw: RawNames | undefined,
  anyBytes = false,
): TarballEntry {
  const type = types[entry.type];
  const { uid = 0, gid = 0, mode = 0, mtime, size } = entry;
  const foreign = raw === undefined || !isUtf8Name(`${raw.path}${raw.linkpath}`);
  if (foreign && !anyBytes) {
    throw refusal(
      "unsafe-name",
      "has a name or link target that is not UTF-8",
      archive,
      raw?.path ?? entry.path,
    );
  }
  const { path: name, linkpath } = (foreign ? raw : undefined) ?? entry;
  const path = normaliseName(name, archive);
  if (type === undefined) {
    throw refusal("unsupported-entry", `is of the type ${entry.type}`, archive, path);
  }
  const metadata = { mode: mode & 0o7777, uid, gid, mtime: Math.floor((mtime?.getTime() ?? 0) / 1000) };
  const link = type === "symlink" || type === "hard-link" ? { target: linkpath ?? "" } : {};
  return { path, type, size: type === "file" ? size : 0, ...link, ...metadata };
}

class TreeBuilder implements EntryVisitor {
  readonly tree = new FileTree();
  readonly #archive: string;
  readonly #spool: string;
  readonly #handle: FileHandle;
  readonly #policy: TarballPolicy;
  #held: Buffer[] = [];
  #nextOffset = 0;

  constructor(archive: string, spool: string, handle: FileHandle, policy: TarballPolicy) {
    this.#archive = archive;
    this.#spool = spool;
    this.#handle = handle;
    this.#policy = policy;
  }

  enter(entry: ReadEntry, raw: RawNames | undefined): void {
    const described = describe(entry, this.#archive, raw, this.#policy.anyBytes);
    const { path, type, size } = described;
    const { mode, uid, gid, mtime } = described;
    const metadata = { mode, uid, gid, mtime };
    if (this.tree.has(path)) throw this.#refusal("duplicate-entry", "is in the tarball twice", path);
    this.#refuseUnwanted(described);
    if (type === "file") {
      const content = { kind: "file", path: this.#spool, offset: this.#nextOffset, size } as const;
      this.#nextOffset += size;
      this.tree.set(path, { type, content, ...metadata });
    } else if (type === "hard-link") this.#link(path, described.target ?? "");
    else if (type === "symlink") this.tree.set(path, { type, target: described.target ?? "", ...metadata });
    else if (type === "char" || type === "block") {
      const { devmaj, devmin } = entry.header;
      this.tree.set(path, { type, major: devmaj, minor: devmin, ...metadata });
    } else this.tree.set(path, { type, ...metadata });
  }

  take(bytes: Buffer): void {
    this.#held.push(bytes);
  }

  async flush(): Promise<void> {
    const held = Buffer.concat(this.#held);
    this.#held = [];
    for (let done = 0; done < held.length; ) {
      done += (await this.#handle.write(held, done)).bytesWritten;
    }
  }

  /** Checks what can only be known when every entry is: that nothing goes through a link or leads out of the tree. */
  finish(): void {
    const { links = "inside" } = this.#policy;
    for (const [path, node] of this.tree) {
      for (let at = parentOf(path); at !== undefined; at = parentOf(at)) {
        const parent = this.tree.get(at);
        if (parent !== undefined && parent.type !== "directory") {
          throw this.#refusal("unsafe-link", `lies below ${printName(at)}, which is no directory`, path);
        }
      }
      if (node.type !== "symlink" || links === "any") continue;
      const { absolute, climbs } = followLinks(this.tree, path, true);
      if (climbs || (absolute && links === "inside")) {
        throw this.#refusal("unsafe-link", `leads out of the tree, to ${printName(node.target)}`, path);
      }
    }
  }

  #refuseUnwanted({ path, type, mode }: TarballEntry): void {
    const { devices = false, setId = false } = this.#policy;
    if (!devices && (type === "char" || type === "block" || type === "fifo")) {
      throw this.#refusal("unsafe-entry", `is a ${type} node`, path);
    }
    if (!setId && type === "file" && (mode & 0o6000) !== 0) {
      throw this.#refusal("unsafe-entry", "is a set-user-id or set-group-id file", path);
    }
  }

  #link(path: string, linkpath: string): void {
    const target = normaliseName(linkpath, this.#archive);
    const node = this.tree.get(target);
    if (node?.type !== "file") {
      throw this.#refusal("unsafe-link", `is a hard link to ${printName(target)}, no earlier file`, path);
    }
    const linked: FileNode = { ...node, linkGroup: node.linkGroup ?? target };
    this.tree.set(target, linked).set(path, linked);
  }

  #refusal(code: string, why: string, path: string): UserError {
    return refusal(code, why, this.#archive, path);
  }
}

function refusal(code: string, why: string, archive: string, path: string): UserError {
  return new UserError(`the tarball's member ${printName(path)} ${why}`, {
    code,
    where: `${printName(archive)}: ${printName(path)}`,
    hint: "get the file from a source you trust",
  });
}
