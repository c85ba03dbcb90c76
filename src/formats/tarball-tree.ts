/** Tarballs as trees whose contents are spooled to disk. Entries that could do harm are refused. */
import { type FileHandle, mkdir, mkdtemp, open } from "node:fs/promises";
import type { ReadEntry } from "tar";
import type { ErrorCode, UserError } from "../errors/index.ts";
import { type Admission, admitEntry, admitLinks } from "./admission.ts";
import type { UnpackLimits } from "./limits.ts";
import { encodeName, normaliseName, printName } from "./names.ts";
import type { RawNames } from "./tar-names.ts";
import { type EntryVisitor, visitTarball } from "./tarball-entries.ts";
import { describeEntry, refuseMember, type TarballEntry } from "./tarball-entry.ts";
import { FileTree } from "./tree.ts";
import type { FileNode } from "./tree-node.ts";

/** What a tarball may hold beside files, directories and harmless links; by default nothing. */
export interface TarballPolicy extends UnpackLimits, Admission {
  /** Whether extended attributes may be lost that change what a file may do or be; others always are. */
  readonly attributes?: boolean;
  /** Whether names and link targets may be bytes that are not UTF-8; they are as `decodeName` gives them. */
  readonly anyBytes?: boolean;
  /**
   * Whether contents are left in the tarball, which must be uncompressed, and stay as it is while the tree is used. Otherwise they
   * are copied to the spool directory.
   */
  readonly inPlace?: boolean;
  /** How errors name the tarball; its path unless said otherwise. */
  readonly label?: string;
}

/**
 * Reads the tarball at `path` into a tree; contents go to one file in a new directory below `spoolDir` (both absolute),
 * which the caller removes when the tree is done with. Missing parents stay missing.
 * @throws UserError as `listTarball`, `unsafe-entry`, `duplicate-entry`, `unsafe-link`
 */
export async function treeFromTarball(
  path: string,
  spoolDir: string,
  policy: TarballPolicy = {},
): Promise<FileTree> {
  if (policy.inPlace === true) return await build(path, undefined, policy);
  await mkdir(spoolDir, { recursive: true });
  const spool = `${await mkdtemp(`${spoolDir}/tarball-`)}/contents`;
  const handle = await open(encodeName(spool), "wx", 0o600);
  try {
    return await build(path, { path: spool, handle }, policy);
  } finally {
    await handle.close();
  }
}

/** Where contents are copied to. */
interface Spool {
  readonly path: string;
  readonly handle: FileHandle;
}

async function build(path: string, spool: Spool | undefined, policy: TarballPolicy): Promise<FileTree> {
  const builder = new TreeBuilder(path, spool, policy);
  await visitTarball(path, builder, policy, { label: policy.label, plain: spool === undefined });
  builder.finish();
  return builder.tree;
}

/** What a machine writes to files for itself. */
const meaningless = /^(security\.selinux|security\.ima|security\.evm|com\.apple\..*)$/;

class TreeBuilder implements EntryVisitor {
  readonly tree = new FileTree();
  readonly #path: string;
  readonly #archive: string;
  readonly #spool: Spool | undefined;
  readonly #policy: TarballPolicy;
  #held: Buffer[] = [];
  #nextOffset = 0;

  constructor(path: string, spool: Spool | undefined, policy: TarballPolicy) {
    this.#path = path;
    this.#archive = policy.label ?? path;
    this.#spool = spool;
    this.#policy = policy;
  }

  enter(entry: ReadEntry, raw: RawNames | undefined): void {
    const described = describeEntry(entry, this.#archive, raw, this.#policy.anyBytes);
    const { path, type, size } = described;
    const { mode, uid, gid, mtime } = described;
    const metadata = { mode, uid, gid, mtime };
    if (this.tree.has(path)) throw this.#refusal("duplicate-entry", "exists twice", path);
    this.#refuseUnwanted(described);
    if (type === "file") {
      const { path: at, offset } =
        this.#spool === undefined
          ? { path: this.#path, offset: raw?.contentAt ?? 0 }
          : { path: this.#spool.path, offset: this.#nextOffset };
      const content = { kind: "file", path: at, offset, size } as const;
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
    if (this.#spool !== undefined) this.#held.push(bytes);
  }

  async flush(): Promise<void> {
    const held = Buffer.concat(this.#held);
    this.#held = [];
    for (let done = 0; done < held.length; ) {
      done += (await this.#spool?.handle.write(held, done))?.bytesWritten ?? held.length;
    }
  }

  finish(): void {
    admitLinks(this.tree, this.#policy, (...why) => this.#refusal(...why));
  }

  #refuseUnwanted(entry: TarballEntry): void {
    const { path, attributes } = entry;
    const lost = attributes?.find((name) => !meaningless.test(name));
    if (this.#policy.attributes !== true && lost !== undefined) {
      throw this.#refusal(
        "unsafe-entry",
        `has the extended attribute ${lost}, which an image cannot store`,
        path,
      );
    }
    admitEntry(path, entry, this.#policy, (...why) => this.#refusal(...why));
  }

  #link(path: string, linkpath: string): void {
    const target = normaliseName(linkpath, this.#archive);
    const node = this.tree.get(target);
    if (node?.type !== "file") {
      throw this.#refusal(
        "unsafe-link",
        `is a hard link to ${printName(target)}, which is not an earlier file`,
        path,
      );
    }
    const linked: FileNode = { ...node, linkGroup: node.linkGroup ?? target };
    this.tree.set(target, linked).set(path, linked);
  }

  #refusal(code: ErrorCode, why: string, path: string): UserError {
    return refuseMember(code, why, this.#archive, path);
  }
}
