/**
 * What Rock Ridge adds to a directory record of an ISO: a name, a mode, an owner, a link's target, a device's numbers.
 *
 * Sources: SUSP (IEEE P1281) 1.12, section 5; Rock Ridge (IEEE P1282) 1.12, section 4.
 */
import { decodeName } from "./names.ts";

export interface RockRidge {
  readonly name?: string;
  /** With the type's bits, as in `stat(2)`. */
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  /** Seconds since 1970. */
  readonly mtime?: number;
  readonly target?: string;
  readonly major?: number;
  readonly minor?: number;
  /** Sector of the directory that belongs here and was moved because it lay too deep. */
  readonly child?: number;
  /** This is such a directory, where it was moved to. */
  readonly relocated?: boolean;
}

interface Entry {
  readonly signature: string;
  readonly data: Buffer;
}

type ReadMore = (sector: number, offset: number, length: number) => Promise<Buffer>;

/** How many bytes to skip in every area, when this one (of the root's own record) begins as SUSP has it. */
export function startsSystemUse(area: Buffer): number | undefined {
  const isStart =
    area.length >= 7 && area.toString("latin1", 0, 2) === "SP" && area[4] === 0xbe && area[5] === 0xef;
  return isStart ? area[6] : undefined;
}

/** As many as Linux follows (`fs/isofs/rock.h`, RR_MAX_CE_ENTRIES). */
const mostContinuations = 32;

async function entriesOf(area: Buffer, readMore: ReadMore): Promise<readonly Entry[]> {
  const entries: Entry[] = [];
  let rest = area;
  for (let round = 0; round < mostContinuations; round++) {
    let next: Entry | undefined;
    for (let at = 0; at + 4 <= rest.length; ) {
      const length = rest[at + 2] ?? 0;
      if (length < 4 || at + length > rest.length) break;
      const entry = {
        signature: rest.toString("latin1", at, at + 2),
        data: rest.subarray(at + 4, at + length),
      };
      at += length;
      if (entry.signature === "ST") break;
      if (entry.signature === "CE" && entry.data.length >= 24) next = entry;
      else entries.push(entry);
    }
    if (next === undefined) break;
    const [sector, offset, length] = [0, 8, 16].map((at) => next.data.readUInt32LE(at));
    rest = await readMore(sector ?? 0, offset ?? 0, length ?? 0);
  }
  return entries;
}

/** `readMore` gives bytes of other sectors, where an area goes on. */
export async function readSystemUse(area: Buffer, readMore: ReadMore): Promise<RockRidge> {
  const found: { -readonly [K in keyof RockRidge]: RockRidge[K] } = {};
  const name: Buffer[] = [];
  const target: { parts: Buffer[]; open: boolean } = { parts: [], open: false };
  let isLink = false;
  for (const { signature, data } of await entriesOf(area, readMore)) {
    const number = (at: number): number => (at + 4 <= data.length ? data.readUInt32LE(at) : 0);
    switch (signature) {
      case "NM":
        name.push(data.subarray(1));
        break;
      case "PX":
        found.mode = number(0);
        found.uid = number(16);
        found.gid = number(24);
        break;
      case "PN":
        // Either both halves are one number of 64 bits, or major and minor.
        found.major = number(0) === 0 ? (number(8) >>> 8) & 0xfff : number(0);
        found.minor = number(0) === 0 ? (number(8) & 0xff) | ((number(8) >>> 12) & 0xfff00) : number(8);
        break;
      case "SL":
        isLink = true;
        addComponents(target, data.subarray(1));
        break;
      case "TF": {
        const time = modificationTime(data);
        if (time !== undefined) found.mtime = time;
        break;
      }
      case "CL":
        found.child = number(0);
        break;
      case "RE":
        found.relocated = true;
        break;
    }
  }
  if (name.length > 0) found.name = decodeName(Buffer.concat(name));
  if (isLink) found.target = joinTarget(target.parts);
  return found;
}

const slash = Buffer.from("/");

/** Rock Ridge, 4.1.3: a component goes on in the next record when its first flag says so. */
function addComponents(target: { parts: Buffer[]; open: boolean }, data: Buffer): void {
  for (let at = 0; at + 2 <= data.length; ) {
    const [flags = 0, length = 0] = data.subarray(at, at + 2);
    const text =
      (flags & 0x02) !== 0
        ? Buffer.from(".")
        : (flags & 0x04) !== 0
          ? Buffer.from("..")
          : (flags & 0x08) !== 0
            ? slash
            : data.subarray(at + 2, at + 2 + length);
    const last = target.parts.at(-1);
    if (target.open && last !== undefined)
      target.parts[target.parts.length - 1] = Buffer.concat([last, text]);
    else target.parts.push(text);
    target.open = (flags & 0x01) !== 0;
    at += 2 + length;
  }
}

function joinTarget(parts: readonly Buffer[]): string {
  const [first, ...rest] = parts;
  const absolute = first?.equals(slash) === true;
  const words = (absolute ? rest : parts).flatMap((part, index) => (index === 0 ? [part] : [slash, part]));
  return decodeName(Buffer.concat([...(absolute ? [slash] : []), ...words]));
}

/** Times in the order creation, modification, access, …, each only where its flag is set. */
function modificationTime(data: Buffer): number | undefined {
  const flags = data[0] ?? 0;
  if ((flags & 0x02) === 0) return undefined;
  const long = (flags & 0x80) !== 0;
  const size = long ? 17 : 7;
  const at = 1 + ((flags & 0x01) === 0 ? 0 : size);
  const bytes = data.subarray(at, at + size);
  if (bytes.length < size) return undefined;
  if (!long) {
    const [year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0] = bytes;
    return Date.UTC(1900 + year, month - 1, day, hour, minute, second) / 1000 - bytes.readInt8(6) * 900;
  }
  const digits = bytes.toString("latin1", 0, 14);
  const iso = digits.replace(/^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)$/, "$1-$2-$3T$4:$5:$6Z");
  const time = Date.parse(iso) / 1000;
  return Number.isNaN(time) ? undefined : time - bytes.readInt8(16) * 900;
}
