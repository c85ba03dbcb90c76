/**
 * Tarballs as trees whose contents are spooled to disk. Entries that could do harm are refused.
 * It knows nothing of where the tree goes.
 */
import { type FileHandle, mkdir, mkdtemp, open } from "node:fs/promises";
import type { ReadEntry } from "tar";
import type { UserError } from "../errors/index.ts";
import type { UnpackLimits } from "./limits.ts";
import { followLinks } from "./links.ts";
import { encodeName, normaliseName, parentOf, printName } from "./names.ts";
import type { RawNames } from "./tar-names.ts";
import { type EntryVisitor, visitTarball } from "./tarball-entries.ts";
import { describeEntry, refuseMember, type TarballEntry } from "./tarball-entry.ts";
import { FileTree } from "./tree.ts";
import type { FileNode } from "./tree-node.ts";

/** What a tarball may hold beside files, directories and harmless links; by default nothing. */
export interface TarballPolicy extends UnpackLimits {
  readonly devices?: boolean;
  readonly setId?: boolean;
  /** Whether extended attributes may be lost that change what a file may do or be; others always are. */
  readonly attributes?: boolean;
  /** Whether names and link targets may be bytes that are not UTF-8; they are as `decodeName` gives them. */
  readonly anyBytes?: boolean;
  /**
   * Where symbolic links may lead: "inside" the tree by relative targets (default); within an "image", whose root absolute
   * targets start from; or "any" where.
   */
  readonly links?: "inside" | "image" | "any";
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

/** What a machine writes to files for itself. */
const meaningless = /^(security\.selinux|security\.ima|security\.evm|com\.apple\..*)$/;

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
    const described = describeEntry(entry, this.#archive, raw, this.#policy.anyBytes);
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

  #refuseUnwanted({ path, type, mode, attributes }: TarballEntry): void {
    const { devices = false, setId = false, attributes: lossy = false } = this.#policy;
    const lost = attributes?.find((name) => !meaningless.test(name));
    if (!lossy && lost !== undefined) {
      throw this.#refusal(
        "unsafe-entry",
        `has an extended attribute, ${lost}, which an image cannot hold`,
        path,
      );
    }
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
    return refuseMember(code, why, this.#archive, path);
  }
}
