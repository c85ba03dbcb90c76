/**
 * What an ELF file is made for, and which libraries it asks its loader for.
 *
 * Format: System V ABI, "Object Files" (header, program header) and "Dynamic Linking" (dynamic section).
 */
import { UserError } from "../errors/index.ts";

interface Segment {
  readonly type: number;
  readonly offset: number;
  readonly address: number;
  readonly size: number;
}

/** p_type and d_tag values. */
const loadable = 1;
const dynamic = 2;
const needed = 1;
const stringTable = 5;

/**
 * The names in the dynamic section's DT_NEEDED entries, in their order; empty for a static file, undefined for one that is
 * no ELF file (a script). `where` is what messages call the file.
 * @throws UserError `bad-elf` for a damaged file, or one of big-endian byte order
 */
export function readNeededLibraries(bytes: Buffer, where: string): readonly string[] | undefined {
  if (!isElf(bytes)) return undefined;
  try {
    return readNeeded(bytes);
  } catch (cause) {
    throw new UserError("the ELF file cannot be read", {
      code: "bad-elf",
      where,
      hint: "get the file again, for the architecture of the image",
      cause,
    });
  }
}

/**
 * The kind of machine a little-endian ELF file is made for, as e_machine has it (3 is EM_386, 62 EM_X86_64); undefined for
 * any other file. The first 20 bytes do.
 */
export function readElfMachine(bytes: Buffer): number | undefined {
  return isElf(bytes) && bytes.length >= 20 && bytes.readUInt8(5) === 1 ? bytes.readUInt16LE(18) : undefined;
}

function isElf(bytes: Buffer): boolean {
  return bytes.length >= 4 && bytes.readUInt32BE(0) === 0x7f454c46;
}

function readNeeded(bytes: Buffer): readonly string[] {
  const wide = bytes.readUInt8(4) === 2;
  if (bytes.readUInt8(5) !== 1) throw new RangeError("not little-endian");
  /** A word of the file's class: four or eight bytes. */
  const word = (at: number): number => (wide ? Number(bytes.readBigUInt64LE(at)) : bytes.readUInt32LE(at));
  const segments = readSegments(bytes, wide, word);
  const section = segments.find(({ type }) => type === dynamic);
  if (section === undefined) return [];
  const step = wide ? 8 : 4;
  const entries: (readonly [tag: number, value: number])[] = [];
  for (let at = section.offset; at < section.offset + section.size; at += 2 * step) {
    entries.push([word(at), word(at + step)]);
  }
  const table = entries.find(([tag]) => tag === stringTable)?.[1];
  if (table === undefined) return [];
  const within = segments.find(
    ({ type, address, size }) => type === loadable && address <= table && table < address + size,
  );
  if (within === undefined) throw new RangeError("no segment contains the string table");
  const strings = within.offset + table - within.address;
  return entries.filter(([tag]) => tag === needed).map(([, offset]) => textAt(bytes, strings + offset));
}

function readSegments(bytes: Buffer, wide: boolean, word: (at: number) => number): readonly Segment[] {
  const start = word(wide ? 32 : 28);
  const size = bytes.readUInt16LE(wide ? 54 : 42);
  const count = bytes.readUInt16LE(wide ? 56 : 44);
  return Array.from({ length: count }, (_, index) => {
    const at = start + index * size;
    return {
      type: bytes.readUInt32LE(at),
      offset: word(at + (wide ? 8 : 4)),
      address: word(at + (wide ? 16 : 8)),
      size: word(at + (wide ? 32 : 16)),
    };
  });
}

function textAt(bytes: Buffer, at: number): string {
  const end = bytes.indexOf(0, at);
  if (at < 0 || at >= bytes.length || end === -1) throw new RangeError("a name is outside the file");
  return bytes.toString("latin1", at, end);
}
