/** What the builds of recipes need, brought from a source: extensions with all that they need, and downloads that recipes bind. */
import { mkdir } from "node:fs/promises";
import path from "node:path";
import type { BlobAccess } from "../src/engine/index.ts";
import { UserError } from "../src/errors/index.ts";
import {
  type ClosureItem,
  extensionArtifacts,
  type LockLine,
  loadExtensions,
  type OwnExtension,
  orderExtensions,
  publicUrl,
} from "../src/fetch/index.ts";
import type { MakingContext } from "./packaging/own-extensions.ts";
import type { Source } from "./source/index.ts";
import { settingNames } from "./source/source-options.ts";

interface SupplyContext {
  readonly own: ReadonlyMap<string, OwnExtension>;
  readonly kernelRelease: string;
  /** Absolute. */
  readonly scratch: string;
  readonly blobs: BlobAccess;
}

/** The ways to bring it from an opened source. */
export function supplyFrom(
  opened: Source,
  { own, kernelRelease, scratch, blobs }: SupplyContext,
): Pick<MakingContext, "supply" | "upstream" | "download"> {
  const { mirror, lock, policy, catalogue } = opened;
  const common = { mirror, lock, policy, catalogue, settings: settingNames, kernel: kernelRelease };
  const resolve = async (
    names: readonly string[],
    where: string,
    more: { readonly own: ReadonlyMap<string, OwnExtension>; readonly follow?: boolean },
  ): Promise<{ readonly items: readonly ClosureItem[]; readonly lines: ReadonlyMap<string, LockLine> }> => {
    const builtin = names.map((name) => ({ name, kind: "tcz", where }) as const);
    const graph = await loadExtensions({ ...common, ...more, builtin, mirrored: [] });
    const { builtin: items } = orderExtensions(graph);
    return { items, lines: await opened.fetch(extensionArtifacts(mirror, items)) };
  };
  const fileOf = (line: LockLine | undefined): string | undefined =>
    line === undefined || "absent" in line ? undefined : blobs.pathOf(line.sha256);
  return {
    async supply(names, where) {
      const { items, lines } = await resolve(names, where, { own });
      return items.map(({ name }) => ({ name, file: fileOf(lines.get(name)) }));
    },
    async upstream(name, where) {
      const { items, lines } = await resolve([name], where, { own: new Map(), follow: false });
      const [item] = items;
      const file = fileOf(lines.get(name));
      if (item?.kind !== "tcz" || file === undefined) throw new Error(`${name} was not fetched`);
      return { file, deps: item.node.deps };
    },
    async download(url, sha256, where) {
      if (blobs.has(sha256)) return blobs.pathOf(sha256);
      const directory = path.join(scratch, "sources");
      await mkdir(directory, { recursive: true });
      const target = path.join(directory, sha256);
      const name = path.posix.basename(new URL(url, "file:///").pathname);
      await opened.transport.download({ name, url, kind: "any", where, target }, (received) => {
        if (received.sha256 === sha256) return;
        throw new UserError(`${name} is not what the recipe wants: its sha256 is ${received.sha256}`, {
          code: "sha256-mismatch",
          where: `${where}: ${publicUrl(url)}`,
          hint: "compare it with what the project's authors publish, and correct the recipe",
        });
      });
      await blobs.adopt(target, sha256);
      return blobs.pathOf(sha256);
    },
  };
}

/** For projects whose extensions need no build. */
export const noSupply: Pick<MakingContext, "supply" | "upstream" | "download"> = {
  supply: async () => [],
  upstream: async (name) => {
    throw new Error(`${name} was not planned`);
  },
  download: async (url) => {
    throw new Error(`${url} was not planned`);
  },
};
