/** `task cache`: how large the cache is; shrunk, checked or emptied. What is in it the engine knows. */
import { rmSync } from "node:fs";
import path from "node:path";
import { acquireLock, collectGarbage, storeStatistics, verifyStore } from "../../engine/index.ts";
import { UsageError } from "../../errors/index.ts";
import { oneWord } from "../options/command-words.ts";
import { readRemoteTotals, remoteTotalsName } from "../output/remote-totals.ts";
import { runLogName } from "../output/run-log.ts";
import type { Session } from "../session.ts";
import { counted, formatBytes } from "../terminal/style.ts";
import { trafficLine } from "./remote-cache.ts";

/** `cache stats`, `cache gc`, `cache verify`, `cache clear`. */
export async function cacheCommand(session: Session, words: readonly string[]): Promise<number> {
  const { io, workspace } = session;
  const { state, taskfile } = workspace;
  const limit = taskfile.cache?.maxSize ?? 5 * 1024 ** 3;
  const action = oneWord(words, "cache <stats|gc|verify|clear>");
  if (action === "stats") {
    const { blobs, bytes, results } = storeStatistics(state);
    const remoteCache = readRemoteTotals(state);
    if (session.request.json) {
      const remote = remoteCache === undefined ? {} : { remoteCache };
      io.stdout.write(`${JSON.stringify({ blobs, bytes, results, limit, ...remote })}\n`);
    } else {
      io.stdout.write(
        `${counted(blobs, "blob")}, ${formatBytes(bytes)} of ${formatBytes(limit)}; ${counted(results, "result")}\n`,
      );
      if (remoteCache !== undefined) io.stdout.write(`${trafficLine(remoteCache)}\n`);
    }
    return 0;
  }
  if (action !== "gc" && action !== "verify" && action !== "clear") {
    throw new UsageError(`\`cache\` has no action "${action}"`, {
      code: "cache-usage",
      hint: "use stats, gc, verify or clear",
    });
  }
  state.prepare();
  const release = await acquireLock(state.lockFile, session.command, new AbortController().signal, (owner) =>
    io.stderr.write(`note: waiting for process ${owner.pid} (${owner.command})\n`),
  );
  try {
    if (action === "clear") {
      for (const part of ["store", "out", "tmp", "stamps.log", "files.log", runLogName, remoteTotalsName]) {
        rmSync(path.join(state.root, part), { recursive: true, force: true });
      }
      io.stdout.write("the cache is empty\n");
    } else if (action === "verify") {
      const damaged = await verifyStore(state);
      for (const digest of damaged) io.stdout.write(`removed damaged blob ${digest}\n`);
      io.stdout.write(
        `${damaged.length === 0 ? "all blobs are intact" : `${counted(damaged.length, "damaged blob")} removed`}\n`,
      );
    } else {
      const { before, after, removedBlobs, forgottenResults } = await collectGarbage(state, limit);
      io.stdout.write(
        `${formatBytes(before)} → ${formatBytes(after)}: ${counted(removedBlobs, "blob")} and ${counted(forgottenResults, "result")} removed\n`,
      );
    }
  } finally {
    release();
  }
  return 0;
}
