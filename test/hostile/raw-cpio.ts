/** newc archives written field by field, with numbers and names that no archiver would give. */
export interface RawEntry {
  readonly name: string;
  /** With the type's bits; default a file, 0644. */
  readonly mode?: number;
  readonly ino?: number;
  readonly nlink?: number;
  readonly content?: string | Buffer;
}

/** One entry: header, name, content, each padded to a multiple of four. */
export function cpioEntry({ name, mode = 0o100644, ino = 1, nlink = 1, content = "" }: RawEntry): Buffer {
  const bytes = Buffer.from(name);
  const data = typeof content === "string" ? Buffer.from(content) : content;
  const numbers = [ino, mode, 0, 0, nlink, 0, data.length, 0, 0, 0, 0, bytes.length + 1, 0];
  const header = `070701${numbers.map((number) => number.toString(16).padStart(8, "0")).join("")}`;
  const nuls = (length: number): Buffer => Buffer.alloc((4 - (length % 4)) % 4);
  const head = Buffer.concat([Buffer.from(header), bytes, Buffer.alloc(1)]);
  return Buffer.concat([head, nuls(head.length), data, nuls(data.length)]);
}

/** An archive of these entries, with its trailer. */
export function cpioArchive(entries: Iterable<RawEntry>): Buffer {
  const chunks = Array.from(entries, cpioEntry);
  return Buffer.concat([...chunks, cpioEntry({ name: "TRAILER!!!", mode: 0 })]);
}

/** Files without content in one directory, all names of one file where `linked`. */
export function* manyFiles(count: number, linked = false): Generator<RawEntry> {
  yield { name: "d", mode: 0o040755 };
  for (let index = 0; index < count; index++) {
    yield { name: `d/${index}`, ...(linked ? { ino: 7, nlink: count } : { ino: index + 2 }) };
  }
}
