/**
 * The version in a kernel's header.
 *
 * Source: Linux `Documentation/arch/x86/boot.rst` ("HdrS" at 0x202; `kernel_version` at 0x20e, the offset of a text that ends with
 * NUL, less 0x200).
 */
import type { FileContent } from "../formats/index.ts";
import { contentSize, readContent } from "../formats/index.ts";

/** The header's fields are 16 bits, so the text begins within this many bytes. */
const readBytes = 0x200 + 0x10000 + 256;

/** The release, `6.1.0-13-amd64`; undefined for what is no kernel, or tells none. */
export async function kernelVersion(content: FileContent): Promise<string | undefined> {
  const size = Math.min(contentSize(content), readBytes);
  const start: FileContent = content.kind === "file" ? { ...content, size } : content;
  const bytes = await readContent(start);
  if (bytes.length < 0x210 || bytes.toString("latin1", 0x202, 0x206) !== "HdrS") return undefined;
  const offset = bytes.readUInt16LE(0x20e);
  if (offset === 0) return undefined;
  const [release] = bytes.toString("latin1", offset + 0x200, offset + 0x300).split(/[\0 ]/);
  return release !== undefined && /^[0-9][!-~]{0,127}$/.test(release) ? release : undefined;
}
