/**
 * A Tiny Core mirror of made-up extensions in a workshop, with or without indexes.
 */
import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
import { defineMirror, type Mirror } from "../../src/fetch/index.ts";
import type { Workshop } from "./workshop.ts";

export interface Shelf {
  /** Name without `.tcz` → direct dependencies, without `.tcz` too. */
  readonly [name: string]: readonly string[];
}

export const directory = "4.x/x86/tcz";

export function tcz(name: string, salt = ""): Buffer {
  return Buffer.concat([Buffer.from("hsqs"), Buffer.alloc(2000, `${name}${salt}`)]);
}

export function md5(bytes: Buffer): string {
  return createHash("md5").update(bytes).digest("hex");
}

export function sha256(bytes: Buffer): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** Puts the extensions and what stands beside them on the workshop's server. */
export async function stock(
  shop: Workshop,
  shelf: Shelf,
  options: { readonly indexes?: boolean; readonly salt?: string } = {},
): Promise<Mirror> {
  const entries = Object.entries(shelf);
  for (const [name, deps] of entries) {
    const bytes = tcz(name, options.salt);
    await shop.put(`${directory}/${name}.tcz`, bytes);
    await shop.put(`${directory}/${name}.tcz.md5.txt`, `${md5(bytes)}  ${name}.tcz\n`);
    await shop.put(`${directory}/${name}.tcz.info`, `Title:          ${name}.tcz\nVersion:        1\n`);
    if (deps.length > 0)
      await shop.put(`${directory}/${name}.tcz.dep`, deps.map((dep) => `${dep}.tcz \n`).join(""));
  }
  if (options.indexes !== false) {
    const index = (name: string, text: string) => shop.put(`${directory}/${name}`, gzipSync(text));
    await index(
      "md5.db.gz",
      entries.map(([name]) => `${md5(tcz(name, options.salt))}  ${name}.tcz\n`).join(""),
    );
    await index("sizelist.gz", entries.map(([name]) => `${name}.tcz ${tcz(name).length}\n`).join(""));
    await index(
      "dep.db.gz",
      entries.map(([name, deps]) => `${[name, ...deps].map((one) => `${one}.tcz`).join("\n")}\n\n`).join(""),
    );
    await index("info.lst.gz", entries.map(([name]) => `${name}.tcz\n`).join(""));
  }
  return defineMirror(shop.server.url, "4", "x86");
}
