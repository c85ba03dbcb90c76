/** The remote cache: whether it answers, and whether this machine may write to it where results are uploaded. */
import { hostname } from "node:os";
import type { RemoteCacheSettings } from "../options/remote-cache.ts";
import type { Line } from "./line.ts";

export async function checkRemoteCache(
  { location, upload }: RemoteCacheSettings,
  signal: AbortSignal,
): Promise<Line> {
  const { HttpCache } = await import("../../remote/index.ts");
  const warnings: string[] = [];
  const cache = new HttpCache(location, {
    upload,
    maker: hostname(),
    onWarning: (message) => warnings.push(message.replace(/: .*$/, "")),
  });
  const check = "remote cache";
  try {
    const { reads, writes } = await cache.probe(signal);
    if (reads && writes === upload)
      return {
        check,
        status: "good",
        text: `${location.shown}, for ${upload ? "reading and writing" : "reading"}`,
      };
    return {
      check,
      status: "advice",
      text: warnings.join("; "),
      hint: "check its URL and credentials; builds work without it, only slower",
    };
  } finally {
    await cache.close();
  }
}
