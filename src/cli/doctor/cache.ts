/** The cache: whether its records are whole, how full it is, and who works in it. Contents are `cache verify`'s. */
import { existsSync } from "node:fs";
import { storeStatistics, type Workspace } from "../../engine/index.ts";
import { formatBytes } from "../terminal/style.ts";
import type { Line } from "./line.ts";

export function checkCache({ state, taskfile }: Workspace): Line {
  const check = "cache";
  if (!existsSync(state.root)) return { check, status: "good", text: "none yet; the first build creates it" };
  const limit = taskfile.cache?.maxSize ?? 5 * 1024 ** 3;
  const { blobs, bytes, results } = storeStatistics(state);
  const text = `${blobs} blobs, ${formatBytes(bytes)} of ${formatBytes(limit)}; ${results} results`;
  const damage = state.damage();
  if (damage.length === 0) return { check, status: "good", text };
  return {
    check,
    status: "advice",
    text: `${text}; ${damage.join("; ")}`,
    hint: "no action needed: the next build makes the lost results again; `task cache verify` checks the contents",
  };
}
