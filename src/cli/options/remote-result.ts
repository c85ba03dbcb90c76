/** A result on a server, as `--against` names it: by its key, or by a URL that ends in the key. */
import { type Digest, isDigest } from "../../engine/index.ts";
import { UsageError } from "../../errors/index.ts";
import type { ServerLocation } from "../../remote/index.ts";
import { readNetrc } from "./remote-cache.ts";
import { serverLocation } from "./server-location.ts";

export interface RemoteResultName {
  /** The sha256 of the result's `Action`. */
  readonly digest: Digest;
  readonly location: ServerLocation;
}

/**
 * The result that `text` names: `KEY` at the server that the build uses, or `BASE/ac/KEY`; `env` tells where credentials are. Throws `UsageError`
 * `remote-cache-invalid`.
 */
export function namedResult(
  text: string,
  usual: ServerLocation | undefined,
  env: NodeJS.ProcessEnv,
): RemoteResultName {
  const [, base, key = ""] = /^(?:(.*)\/(?:ac|cas)\/)?([0-9a-f]{64})$/.exec(text) ?? [];
  if (!isDigest(key))
    throw new UsageError("--against is neither a key nor the URL of one", {
      code: "remote-cache-invalid",
      hint: "take the 64 hex digits that `task why TARGET` prints on the other machine, or BASE/ac/KEY",
    });
  const location = base === undefined ? usual : serverLocation(base, "--against", { netrc: readNetrc(env) });
  if (location === undefined)
    throw new UsageError("--against KEY needs a remote cache", {
      code: "remote-cache-invalid",
      hint: "name its URL with --remote-cache, or write --against BASE/ac/KEY",
    });
  return { digest: key, location };
}
