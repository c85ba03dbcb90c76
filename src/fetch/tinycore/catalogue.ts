/**
 * What a mirror has: sizes, md5s and direct dependencies of its extensions, from three indexes for all of them
 * or, where a mirror lacks one, from the files beside each. It does not follow dependencies.
 */
import { stat } from "node:fs/promises";
import { Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { UserError } from "../../errors/index.ts";
import { parseLocation, publicUrl } from "../http/location.ts";
import type { Transport } from "../http/transport.ts";
import { readMd5At } from "../pins/md5-file.ts";
import {
  dependenciesIn,
  type IndexLimit,
  indexHint,
  parseDependencies,
  parseDependencyIndex,
  parseMd5Index,
  parseNameIndex,
  parseSizeIndex,
} from "./indexes.ts";
import { extensionLocation, type Mirror } from "./mirror.ts";

export interface CatalogueEntry {
  readonly md5: string | undefined;
  /** URL of the file that it was read from. */
  readonly md5Source: string | undefined;
  readonly size: number | undefined;
  /** Direct dependencies as upstream writes them, `-KERNEL` not filled in. */
  readonly deps: readonly string[];
}

export interface Catalogue {
  /** The entry, or undefined when an index says that there is no such extension, and the mirror is no directory that has it. */
  find(name: string, where: string): Promise<CatalogueEntry | undefined>;
  /** All names that are known, for suggestions; empty when the mirror has no index. */
  names(): Promise<readonly string[]>;
}

/** Texts of indexes by their URL, undefined for one that a mirror has not: what catalogues that share it ask for once. */
export type IndexMemory = Map<string, Promise<string | undefined>>;

/** A catalogue that makes its requests (three, and two per extension for what is missing) at the first need. */
export function openCatalogue(
  mirror: Mirror,
  transport: Transport,
  memory: IndexMemory = new Map(),
): Catalogue {
  const { maxIndexNames: most, settings } = transport.limits;
  const limit: IndexLimit = { most, setting: settings.maxIndexNames };
  const index = async <T>(
    name: string,
    parse: (text: string, where: string, limit: IndexLimit) => T,
  ): Promise<T | undefined> => {
    const text = await recall(memory, extensionLocation(mirror, name), () =>
      readIndex(mirror, transport, name),
    );
    return text === undefined ? undefined : parse(text, publicUrl(extensionLocation(mirror, name)), limit);
  };
  const load = once(async () => {
    const [md5s, sizes, deps] = await Promise.all([
      index("md5.db.gz", parseMd5Index),
      index("sizelist.gz", parseSizeIndex),
      index("dep.db.gz", parseDependencyIndex),
    ]);
    return { md5s, sizes, deps };
  });
  const namesFromList = once(
    async () => (await index("info.lst.gz", (text) => parseNameIndex(text, most))) ?? [],
  );
  return {
    async find(name, where) {
      const { md5s, sizes, deps } = await load();
      // A directory shows what it holds: a file that was put there counts although its indexes are older.
      const isNamed = md5s === undefined || md5s.has(name);
      if (!isNamed && !(await liesInDirectory(mirror, name))) return undefined;
      const [md5, dependencies] = await Promise.all([
        md5s?.get(name) ?? readMd5(mirror, transport, name, where),
        deps === undefined || !isNamed
          ? readDependencies(mirror, transport, name, where)
          : dependenciesIn(deps, name, publicUrl(extensionLocation(mirror, "dep.db.gz"))),
      ]);
      const md5File = md5s?.has(name) === true ? "md5.db.gz" : `${name}.md5.txt`;
      const md5Source = md5 === undefined ? undefined : publicUrl(extensionLocation(mirror, md5File));
      return { md5, md5Source, size: sizes?.get(name), deps: dependencies };
    },
    async names() {
      const { md5s, sizes } = await load();
      return [...(md5s ?? sizes ?? new Map()).keys(), ...(md5s === undefined ? await namesFromList() : [])];
    },
  };
}

/** Whether the mirror is a directory with a file of this name. */
async function liesInDirectory(mirror: Mirror, name: string): Promise<boolean> {
  const location = parseLocation(extensionLocation(mirror, name));
  if (location.kind !== "local") return false;
  const status = await stat(location.path).catch(() => undefined);
  return status?.isFile() === true;
}

async function recall(
  memory: IndexMemory,
  url: string,
  read: () => Promise<string | undefined>,
): Promise<string | undefined> {
  const known = memory.get(url) ?? read();
  memory.set(url, known);
  try {
    return await known;
  } catch (error) {
    // It may have been given up by one that shares the memory; the next one asks for itself.
    if (memory.get(url) === known) memory.delete(url);
    throw error;
  }
}

function once<T>(work: () => Promise<T>): () => Promise<T> {
  let result: Promise<T> | undefined;
  return () => {
    result ??= work();
    return result;
  };
}

async function readIndex(mirror: Mirror, transport: Transport, name: string): Promise<string | undefined> {
  const url = extensionLocation(mirror, name);
  const answer = await transport.read({ name, url, kind: "gzip", optional: true });
  if (answer.status !== "fetched") return undefined;
  const { maxIndexNames, settings } = transport.limits;
  const most = maxIndexNames * bytesPerName;
  return await inflate(answer.bytes, publicUrl(url), { most, setting: settings.maxIndexNames });
}

/** `.dep` and `.md5.txt` files: a megabyte is a thousand times the usual size. */
const maxSidecarBytes = 1024 ** 2;

async function readDependencies(
  mirror: Mirror,
  transport: Transport,
  name: string,
  where: string,
): Promise<readonly string[]> {
  const file = `${name}.dep`;
  const url = extensionLocation(mirror, file);
  const maxBytes = maxSidecarBytes;
  const answer = await transport.read({ name: file, url, kind: "text", optional: true, where, maxBytes });
  return answer.status === "fetched" ? parseDependencies(answer.bytes.toString("utf8"), publicUrl(url)) : [];
}

/** The md5 beside an extension of a mirror without indexes; undefined when there is none. */
async function readMd5(
  mirror: Mirror,
  transport: Transport,
  name: string,
  where: string,
): Promise<string | undefined> {
  return await readMd5At(transport, extensionLocation(mirror, `${name}.md5.txt`), `${name}.md5.txt`, where);
}

/** How far a small gzip file may blow up: 64 times, but a few hundred bytes of repetition are no bomb. */
const maxRatio = 64;
const minLimit = 4 * 1024 ** 2;
const maxLimit = 256 * 1024 ** 2;
/** Bytes of an index per name, generously: a name has at most 200 bytes, and most extensions have few dependencies. */
const bytesPerName = 512;

/** Unpacks a gzip file in memory to text, limited to `most` bytes and to a plausible compression ratio. */
async function inflate(
  bytes: Buffer,
  where: string,
  { most, setting }: IndexLimit = { most: maxLimit },
): Promise<string> {
  const limit = Math.max(minLimit, Math.min(maxLimit, most, bytes.length * maxRatio));
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of Readable.from([bytes]).pipe(createGunzip())) {
      size += (chunk as Buffer).length;
      if (size > limit) {
        throw new UserError(`the file unpacks from ${bytes.length} to more than ${limit} bytes`, {
          code: "decompression-bomb",
          where,
          hint: indexHint(setting),
        });
      }
      chunks.push(chunk as Buffer);
    }
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError("the gzip file cannot be unpacked", {
      code: "bad-gzip",
      where,
      hint: "try again later, or use another mirror: the mirror's file is damaged",
      cause: error,
    });
  }
  return Buffer.concat(chunks).toString("utf8");
}
