/** Downloads of one extension from a server that does what a test wants. It does not know what that is. */
import { readFile } from "node:fs/promises";
import path from "node:path";
import { afterEach, beforeEach, expect } from "vitest";
import { openWorkshop, rejection, type Workshop } from "./workshop.ts";

/** What `a.tcz` holds on the server. */
export const squashfs = Buffer.concat([Buffer.from("hsqs"), Buffer.alloc(300_000, "squash")]);

/** Opens a workshop for each test of the file, with `a.tcz` on its server. */
export function useDownloads() {
  let shop: Workshop;
  beforeEach(async () => {
    shop = await openWorkshop();
    await shop.put("a.tcz", squashfs);
  });
  afterEach(() => shop.close());

  const request = (name = "a.tcz", kind: "squashfs" | "text" | "any" | "gzip" = "squashfs") => ({
    name,
    kind,
    url: `${shop.server.url}/${name}`,
    target: path.join(shop.out, name),
  });

  return {
    get shop(): Workshop {
      return shop;
    },
    request,

    async expectWhole(): Promise<void> {
      const bytes = await readFile(path.join(shop.out, "a.tcz"));
      expect(bytes.equals(squashfs), "the file is whole").toBe(true);
    },

    /** The error of a download that fails, and leaves nothing. */
    async failure(options: Parameters<Workshop["transport"]>[0] = {}, extra: object = {}) {
      const error = await rejection(shop.transport(options).download({ ...request(), ...extra }));
      expect(await shop.outputs(), "no file may be left behind").toEqual([]);
      return error;
    },
  };
}
