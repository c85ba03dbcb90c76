/**
 * Writes values as Ruby's `Marshal.dump` does.
 *
 * Format: version 4.8, Ruby's `doc/marshal.rdoc`; times as Ruby's `time_mdump` (`time.c`). Every Ruby since 1.8 reads it.
 */

/** A text is UTF-8, a number an integer of at most 31 bits, a date in UTC with whole seconds. */
export type RubyValue =
  | null
  | boolean
  | number
  | string
  | Date
  | readonly RubyValue[]
  | RubyHash
  | RubySymbol
  | RubyObject
  | RubyDumped;

/** A hash with texts as keys. */
interface RubyHash {
  readonly pairs: readonly (readonly [string, RubyValue])[];
}

interface RubySymbol {
  readonly symbol: string;
}

/** An object with its instance variables, or with what its `marshal_dump` returns. */
type RubyObject =
  | { readonly class: string; readonly variables: Readonly<Record<`@${string}`, RubyValue>> }
  | { readonly class: string; readonly dump: RubyValue };

/** An object with the bytes that its `_dump` returns. */
interface RubyDumped {
  readonly class: string;
  readonly bytes: Buffer;
}

/** The bytes of `Marshal.dump`, except that an object that occurs twice is written twice. */
export function marshal(value: RubyValue): Buffer {
  const writer = new Writer();
  writer.write(value);
  return Buffer.concat([Buffer.from([4, 8]), ...writer.parts]);
}

class Writer {
  readonly parts: Buffer[] = [];
  readonly #symbols: string[] = [];

  write(value: RubyValue): void {
    if (value === null) this.#mark("0");
    else if (typeof value === "boolean") this.#mark(value ? "T" : "F");
    else if (typeof value === "number") {
      this.#mark("i");
      this.#integer(value);
    } else if (typeof value === "string") this.#text(value, true);
    else if (value instanceof Date) this.#time(value);
    else if (isList(value)) {
      this.#mark("[");
      this.#integer(value.length);
      for (const one of value) this.write(one);
    } else if ("pairs" in value) {
      this.#mark("{");
      this.#integer(value.pairs.length);
      for (const [key, one] of value.pairs) {
        this.write(key);
        this.write(one);
      }
    } else if ("symbol" in value) this.#symbol(value.symbol);
    else if ("bytes" in value) {
      this.#mark("u");
      this.#symbol(value.class);
      this.#bytes(value.bytes);
    } else if ("dump" in value) {
      this.#mark("U");
      this.#symbol(value.class);
      this.write(value.dump);
    } else {
      this.#mark("o");
      this.#symbol(value.class);
      this.#variables(Object.entries(value.variables));
    }
  }

  #variables(variables: readonly (readonly [string, RubyValue])[]): void {
    this.#integer(variables.length);
    for (const [name, value] of variables) {
      this.#symbol(name);
      this.write(value);
    }
  }

  /** The variable `E` is the encoding: true for UTF-8, false for US-ASCII. */
  #text(text: string, utf8: boolean): void {
    this.#mark('I"');
    this.#bytes(Buffer.from(text));
    this.#variables([["E", utf8]]);
  }

  #time(date: Date): void {
    const high =
      (0xc000_0000 |
        ((date.getUTCFullYear() - 1900) << 14) |
        (date.getUTCMonth() << 10) |
        (date.getUTCDate() << 5) |
        date.getUTCHours()) >>>
      0;
    const low = ((date.getUTCMinutes() << 26) | (date.getUTCSeconds() << 20)) >>> 0;
    const bytes = Buffer.alloc(8);
    bytes.writeUInt32LE(high, 0);
    bytes.writeUInt32LE(low, 4);
    this.#mark("Iu");
    this.#symbol("Time");
    this.#bytes(bytes);
    this.#integer(1);
    this.#symbol("zone");
    this.#text("UTC", false);
  }

  /** A symbol that was written before is a number. */
  #symbol(name: string): void {
    const known = this.#symbols.indexOf(name);
    if (known !== -1) {
      this.#mark(";");
      this.#integer(known);
      return;
    }
    this.#symbols.push(name);
    this.#mark(":");
    this.#bytes(Buffer.from(name));
  }

  #bytes(bytes: Buffer): void {
    this.#integer(bytes.length);
    this.parts.push(bytes);
  }

  #mark(text: string): void {
    this.parts.push(Buffer.from(text, "latin1"));
  }

  /** One byte for small numbers; else how many bytes follow, negative for a negative number, and these, the lowest first. */
  #integer(value: number): void {
    if (!Number.isInteger(value) || value < -(2 ** 30) || value >= 2 ** 30)
      throw new RangeError(`${value} is no integer of 31 bits`);
    if (value === 0) this.parts.push(Buffer.of(0));
    else if (value > 0 && value < 123) this.parts.push(Buffer.of(value + 5));
    else if (value < 0 && value > -124) this.parts.push(Buffer.of((value - 5) & 0xff));
    else {
      const bytes: number[] = [];
      const end = value < 0 ? -1 : 0;
      for (let rest = value; rest !== end; rest >>= 8) bytes.push(rest & 0xff);
      this.parts.push(Buffer.of((value < 0 ? -bytes.length : bytes.length) & 0xff, ...bytes));
    }
  }
}

function isList(value: RubyValue): value is readonly RubyValue[] {
  return Array.isArray(value);
}
