/** Debian packages made byte by byte, for members that dpkg-deb would not pack. */
import { gzipSync } from "node:zlib";
import { type TarMember, tarBytes } from "./tar-builder.ts";

export interface DebParts {
  /** Fields of the control file beside those that every package has. */
  readonly fields?: readonly string[];
  /** Members of the control archive beside `control`. */
  readonly control?: readonly TarMember[];
  readonly data?: readonly TarMember[];
}

/** deb(5): an ar archive of `debian-binary`, `control.tar.gz` and `data.tar.gz`. */
export function debBytes({ fields = [], control = [], data = [] }: DebParts): Buffer {
  const text = [
    "Package: hello",
    "Version: 1.0",
    "Architecture: all",
    "Maintainer: nobody",
    ...fields,
    "Description: hello",
    "",
  ].join("\n");
  return arBytes([
    ["debian-binary", Buffer.from("2.0\n")],
    ["control.tar.gz", gzipSync(tarBytes([{ path: "./control", body: text }, ...control]))],
    ["data.tar.gz", gzipSync(tarBytes(data))],
  ]);
}

/** ar(5), the common form: a header of 60 bytes before each member, members at even offsets. */
export function arBytes(members: readonly (readonly [name: string, bytes: Buffer])[]): Buffer {
  const chunks: Buffer[] = [Buffer.from("!<arch>\n")];
  for (const [name, bytes] of members) {
    const field = (value: string, width: number) => value.padEnd(width).slice(0, width);
    const numbers = [
      field("0", 12),
      field("0", 6),
      field("0", 6),
      field("100644", 8),
      field(`${bytes.length}`, 10),
    ];
    chunks.push(Buffer.from(`${field(name, 16)}${numbers.join("")}\`\n`, "latin1"), bytes);
    if (bytes.length % 2 === 1) chunks.push(Buffer.from("\n"));
  }
  return Buffer.concat(chunks);
}
