/** A file that holds others, opened: an ISO, a tarball, an initrd. */
import { constants } from "node:fs";
import { lstat, open, readdir } from "node:fs/promises";
import path from "node:path";
import { createGunzip } from "node:zlib";
import { UserError } from "../errors/index.ts";
import {
  contentSize,
  defaultLimits,
  type FileContent,
  type FileTree,
  type InitrdMember,
  limitHint,
  mergeLayers,
  readInitrd,
  readIsoStructure,
  readIsoTree,
  sniff,
  sniffLength,
  streamContent,
  treeFromTarball,
  type UnpackLimits,
} from "../formats/index.ts";

type ContainerKind = "ISO" | "tarball" | "initrd";

export interface Container {
  readonly kind: ContainerKind;
  readonly tree: FileTree;
  /** Of an ISO: what it says of itself beside its files. */
  readonly fields: ReadonlyMap<string, string>;
  /** Of an initrd: its archives in order, of which `tree` is what the kernel makes. */
  readonly members: readonly InitrdMember[];
  /** Absolute path of the file, which may be a copy of what lies in another container. */
  readonly file: string;
}

/** What the content is by its first bytes, a gzip file by what is in it; undefined for anything else. */
export async function containerKind(content: FileContent): Promise<ContainerKind | undefined> {
  const head = await headOf(content);
  switch (sniff(head)) {
    case "iso9660":
      return "ISO";
    case "cpio":
      return "initrd";
    case "tar":
    case "gem":
      return "tarball";
    case "gzip": {
      const inner = sniff(await inflateHead(head));
      return inner === "cpio" ? "initrd" : inner === "tar" || inner === "gem" ? "tarball" : undefined;
    }
    default:
      return undefined;
  }
}

export async function headOf(content: FileContent): Promise<Buffer> {
  if (content.kind === "bytes") return Buffer.from(content.bytes.subarray(0, sniffLength));
  const head: FileContent = { ...content, size: Math.min(content.size, sniffLength) };
  const pieces: Uint8Array[] = [];
  for await (const piece of streamContent(head)) pieces.push(piece);
  return Buffer.concat(pieces);
}

/** As much as comes out of a beginning; only a full read finds damage. */
async function inflateHead(head: Buffer): Promise<Buffer> {
  return await new Promise((resolve) => {
    const pieces: Buffer[] = [];
    const gunzip = createGunzip()
      .on("data", (piece: Buffer) => pieces.push(piece))
      .on("error", () => resolve(Buffer.concat(pieces)))
      .on("end", () => resolve(Buffer.concat(pieces)));
    gunzip.end(head);
  });
}

/** Temporary files with unpacked content; `directory` is absolute, and removed by the caller. */
export class Spool {
  readonly #directory: string;
  readonly #given: UnpackLimits;
  #next = 0;
  /** Bytes of the finished files in the directory. */
  #used = 0;
  /** Whether an archive was larger than the remaining limit. */
  #full = false;

  constructor(directory: string, limits: UnpackLimits = {}) {
    this.#directory = directory;
    this.#given = limits;
  }

  get #most(): number {
    return { ...defaultLimits, ...this.#given }.maxBytes;
  }

  /** The limits of the next archive: what the previous ones have left. */
  get limits(): UnpackLimits {
    const onTooLarge = (): void => {
      this.#full = true;
    };
    return { ...this.#given, maxBytes: Math.max(0, this.#most - this.#used), onTooLarge };
  }

  /** Calls `fill` with a path that nothing has yet, and counts what is there afterwards. */
  async fill<T>(fill: (place: string) => Promise<T>): Promise<T> {
    this.#next += 1;
    const place = path.join(this.#directory, `${this.#next}`);
    try {
      return await fill(place);
    } finally {
      this.#used += await bytesAt(place);
    }
  }

  /** @throws UserError `bomb` when all archives together would unpack to more than they may */
  refuseFull(): void {
    if (!this.#full && this.#used < this.#most) return;
    throw new UserError(`nested archives unpack to more than ${this.#most} bytes in total`, {
      code: "bomb",
      hint: limitHint(this.#given, "maxBytes"),
    });
  }

  /** Absolute path of a file with this content and no other: its own, or a copy. */
  async fileOf(content: FileContent): Promise<string> {
    if (content.kind === "file" && content.offset === 0) {
      const handle = await open(content.path, "r");
      try {
        if ((await handle.stat()).size === content.size) return content.path;
      } finally {
        await handle.close();
      }
    }
    return await this.fill(async (copy) => {
      const handle = await open(copy, "w", 0o600);
      try {
        for await (const piece of streamContent(content)) await handle.writeFile(piece);
      } finally {
        await handle.close();
      }
      return copy;
    });
  }
}

/** Bytes of a file, or of all files below a directory; 0 where there is nothing. */
async function bytesAt(place: string): Promise<number> {
  const status = await lstat(place).catch(() => undefined);
  if (status?.isDirectory() !== true) return status?.size ?? 0;
  const sizes = await Promise.all(
    (await readdir(place)).map(async (name) => await bytesAt(path.join(place, name))),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}

const nothing: ReadonlyMap<string, string> = new Map();

/** Opens what `containerKind` found. @throws UserError as the readers of the formats */
export async function openContainer(
  kind: ContainerKind,
  content: FileContent,
  spool: Spool,
): Promise<Container> {
  const file = await spool.fileOf(content);
  switch (kind) {
    case "ISO":
      return {
        ...{ kind, file, members: [] },
        tree: await readIsoTree(file, spool.limits),
        fields: await readIsoStructure(file),
      };
    case "tarball": {
      const policy = { devices: true, setId: true, attributes: true, links: "any", anyBytes: true } as const;
      const limits = spool.limits;
      const tree = await spool.fill((place) => treeFromTarball(file, place, { ...policy, ...limits }));
      return { kind, file, tree, fields: nothing, members: [] };
    }
    case "initrd": {
      const limits = spool.limits;
      const members = await spool.fill((spoolDir) => readInitrd(file, { spoolDir, limits }));
      const { tree } = mergeLayers(members.map((member) => member.tree));
      return { kind, file, tree, fields: nothing, members };
    }
  }
}

/** The content of a file on disk. @throws UserError `not-a-file` */
export async function contentOfFile(file: string): Promise<FileContent> {
  // A pipe that nobody writes to is not waited for.
  const handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK).catch((cause: unknown) => {
    throw new UserError("the file cannot be opened", {
      code: "unreadable-file",
      where: file,
      hint: "check the name and the permissions of the file",
      cause,
    });
  });
  try {
    const status = await handle.stat();
    if (status.isFile()) return { kind: "file", path: file, offset: 0, size: status.size };
  } finally {
    await handle.close();
  }
  throw new UserError("this is not a file", {
    code: "not-a-file",
    where: file,
    hint: "name an ISO, a bundle or another image",
  });
}

/** Content in a few words: what it is, and its size. */
export function describeContent(content: FileContent): string {
  return `${contentSize(content).toLocaleString("en")} bytes`;
}
