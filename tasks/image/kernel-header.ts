/**
 * Whether a kernel is for 64 bits, by its header.
 *
 * Source: Linux `Documentation/arch/x86/boot.rst` ("HdrS" at 0x202, the protocol's version at 0x206, xloadflags at 0x236 since
 * protocol 2.12, of which bit 0 is XLF_KERNEL_64).
 */
import { type FileTree, readContent } from "../../src/formats/index.ts";

const headerSize = 0x238;

/** `path` is the kernel's in the tree. Kernels before Linux 3.8 do not tell. */
export async function isKernel64(tree: FileTree, path: string): Promise<boolean> {
  const node = tree.get(path);
  if (node?.type !== "file") return false;
  const { content } = node;
  const header = await readContent(
    content.kind === "bytes" ? content : { ...content, size: Math.min(content.size, headerSize) },
  );
  if (header.length < headerSize || header.toString("latin1", 0x202, 0x206) !== "HdrS") return false;
  return header.readUInt16LE(0x206) >= 0x020c && (header.readUInt16LE(0x236) & 1) === 1;
}
