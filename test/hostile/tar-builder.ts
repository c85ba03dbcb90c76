/** Tarballs of hand-made headers, for entries that no packer would write. */
import { Header, type HeaderData } from "tar";

/** A header's fields; `body` is the content, and `size` may say otherwise. */
export type TarMember = HeaderData & { readonly body?: string | Buffer };

const blockSize = 512;

/** The bytes of a tarball with these members, in this order. */
export function tarBytes(members: readonly TarMember[]): Buffer {
  const blocks: Buffer[] = [];
  for (const { body = "", ...data } of members) {
    const content = Buffer.from(body);
    const mode = data.type === "Directory" ? 0o755 : 0o644;
    const header = new Header({ mode, type: "File", size: content.length, ...data });
    header.encode();
    if (header.block === undefined) throw new Error("no header");
    blocks.push(header.block, content);
    blocks.push(Buffer.alloc((blockSize - (content.length % blockSize)) % blockSize));
  }
  return Buffer.concat([...blocks, Buffer.alloc(2 * blockSize)]);
}

/** A pax header that goes before the member it describes. */
export function paxMember(records: Readonly<Record<string, string>>): TarMember {
  const lines = Object.entries(records).map(([key, value]) => {
    const rest = ` ${key}=${value}\n`;
    let length = Buffer.byteLength(rest);
    while (length !== Buffer.byteLength(rest) + String(length).length)
      length = Buffer.byteLength(rest) + String(length).length;
    return `${length}${rest}`;
  });
  return { path: "PaxHeader", type: "ExtendedHeader", body: lines.join("") };
}
