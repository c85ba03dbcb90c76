/**
 * Telling by its first bytes whether what came is what was asked for. It knows magic numbers only; whether
 * the rest is sound is for who unpacks it.
 */
import { UserError } from "../../errors/index.ts";

/** What a download should be. `text` may be anything but a web page; `any` is not looked at. */
export type ContentKind = "squashfs" | "iso9660" | "gzip" | "gem" | "tarball" | "text" | "any";

/** How many bytes from the start are looked at: an ISO's magic is behind its 32 KiB system area. */
export const headLength = 0x8006;

const names: Readonly<Record<ContentKind, string>> = {
  squashfs: "a squashfs image",
  iso9660: "an ISO 9660 image",
  gzip: "a gzip file",
  gem: "a gem (a tar archive)",
  tarball: "a gzipped tar archive",
  text: "a text file",
  any: "a file",
};

function holds(kind: ContentKind, head: Buffer): boolean {
  switch (kind) {
    case "squashfs":
      // Squashfs superblock: s_magic, little-endian 0x73717368.
      return head.subarray(0, 4).toString("latin1") === "hsqs";
    case "iso9660":
      // ECMA-119 8.1: volume descriptor at sector 16, standard identifier at byte 1.
      return head.subarray(0x8001, 0x8006).toString("latin1") === "CD001";
    case "gzip":
    case "tarball":
      // RFC 1952 2.3.1: ID1, ID2.
      return head[0] === 0x1f && head[1] === 0x8b;
    case "gem":
      // POSIX ustar interchange format: magic at offset 257.
      return head.subarray(257, 262).toString("latin1") === "ustar";
    case "text":
      return !head.includes(0);
    case "any":
      return true;
  }
}

/** Whether bytes look like the beginning of a web page. */
export function looksLikeHtml(head: Buffer): boolean {
  const start = head
    .subarray(0, 1024)
    .toString("latin1")
    .replace(/^\xef\xbb\xbf/, "")
    .trimStart()
    .toLowerCase();
  return /^(<!--[\s\S]*?-->\s*)?(<\?xml[^>]*>\s*)?<(!doctype\s+html|html|head|body|script|meta)\b/.test(
    start,
  );
}

/**
 * Throws when `head` (the first `headLength` bytes, or all there are) is not of `kind`, with a message of its
 * own for a web page. `name` is the artifact, `where` the URL without credentials.
 */
export function checkKind(kind: ContentKind, head: Buffer, name: string, where: string): void {
  if (kind === "any") return;
  if (looksLikeHtml(head)) {
    throw new UserError(
      `${name} is a captive portal or error page: expected ${names[kind]}, got a web page`,
      {
        code: "captive-portal",
        where,
        hint: "open the URL in a browser: a network login or a proxy may answer in place of the mirror",
      },
    );
  }
  if (!holds(kind, head)) {
    throw new UserError(`${name} is not ${names[kind]}`, {
      code: "wrong-kind",
      where,
      hint: "check the URL: the mirror has another or a damaged file there",
    });
  }
}
