/** Which remote cache a build uses: from the command line, the environment or the Taskfile, in this order. */
import path from "node:path";
import type { Taskfile } from "../../engine/index.ts";
import { UsageError } from "../../errors/index.ts";
import type { ServerLocation } from "../../remote/index.ts";
import { remoteVariables } from "./option-table.ts";
import { serverLocation } from "./server-location.ts";
import { readSmallFile } from "./small-file.ts";

export interface RemoteCacheSettings {
  /** Contains credentials. */
  readonly location: ServerLocation;
  readonly upload: boolean;
  /** Seconds that the end of a build waits for uploads. */
  readonly uploadWait: number;
}

export interface RemoteCacheOptions {
  /** False for `--no-remote-cache`. */
  readonly remoteCache?: string | boolean;
  readonly remoteUpload?: true;
  readonly remoteUploadWait?: string;
}

/** Seconds. */
const usualWait = 10;
const yes = /^(1|true|yes|on)$/i;
const no = /^(|0|false|no|off)$/i;

/** The settings; undefined where no remote cache is used. Throws `UsageError` `remote-cache-invalid`. */
export function remoteCacheSettings(
  { remoteCache, remoteUpload, remoteUploadWait }: RemoteCacheOptions,
  { cache }: Taskfile,
  env: NodeJS.ProcessEnv,
): RemoteCacheSettings | undefined {
  const uploadWait = secondsIn(remoteUploadWait);
  if (remoteCache === false) return undefined;
  const isUploading = remoteUpload ?? switchIn(env[remoteVariables.upload]);
  const given = typeof remoteCache === "string" ? remoteCache : undefined;
  const fromEnvironment = env[remoteVariables.url];
  const named = (
    [
      [given, "--remote-cache"],
      [fromEnvironment === "" ? undefined : fromEnvironment, remoteVariables.url],
      [cache?.remote?.url, "cache.remote.url of the Taskfile"],
    ] as const
  ).find(([url]) => url !== undefined);
  if (named?.[0] === undefined) {
    if (remoteUpload === true)
      throw new UsageError("--remote-upload needs a remote cache", {
        code: "remote-cache-invalid",
        hint: `name its URL with --remote-cache, ${remoteVariables.url} or cache.remote in the Taskfile`,
      });
    return undefined;
  }
  const header = env[remoteVariables.header];
  return {
    location: serverLocation(named[0], named[1], {
      instance: cache?.remote?.instance,
      header: header === "" ? undefined : header,
      netrc: readNetrc(env),
    }),
    upload: isUploading ?? cache?.remote?.upload ?? false,
    uploadWait,
  };
}

/** The text of the user's `.netrc`; empty where there is none that can be read. `NETRC` names another one, as for curl. */
export function readNetrc({ NETRC, HOME }: NodeJS.ProcessEnv): string {
  const file = NETRC ?? (HOME === undefined ? undefined : path.join(HOME, ".netrc"));
  try {
    return file === undefined ? "" : readSmallFile(file, ".netrc", file).toString();
  } catch {
    return "";
  }
}

function secondsIn(text: string | undefined): number {
  const seconds = text === undefined ? usualWait : Number(text);
  if (Number.isFinite(seconds) && seconds >= 0 && text !== "") return seconds;
  throw new UsageError(`--remote-upload-wait is "${text}", but must be a number of seconds`, {
    code: "remote-cache-invalid",
    hint: "write it as 10; 0 does not wait",
  });
}

/** What a variable says; undefined where it is not set. */
function switchIn(text: string | undefined): boolean | undefined {
  if (text === undefined) return undefined;
  if (yes.test(text)) return true;
  if (no.test(text)) return false;
  throw new UsageError(`${remoteVariables.upload} is "${text}", but must be 1 or 0`, {
    code: "remote-cache-invalid",
    hint: "set it to 1 on machines whose results others may rely on",
  });
}
