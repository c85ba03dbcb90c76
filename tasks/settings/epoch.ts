/** The default of SOURCE_DATE_EPOCH: the commit's time, never the clock's or a file's. */
import type { ParameterHost } from "../../src/engine/index.ts";
import { UserError } from "../../src/errors/index.ts";
import { askProject } from "./git.ts";
import { undated } from "./undated.ts";

/** The last second that the 32 bits of a cpio header can hold, in 2106. */
const lastSecond = 0xffff_ffff;

/** Parses a time in seconds since 1970 (`0` is valid); undefined for anything else. */
export function secondsOf(text: string | undefined): number | undefined {
  if (text === undefined || !/^\d{1,10}$/.test(text)) return undefined;
  const seconds = Number(text);
  return seconds <= lastSecond ? seconds : undefined;
}

/**
 * The time of the commit that the version names, in seconds since 1970; `undated` without git. `overlay` is the directory of
 * the image's files, absolute or relative to the workspace.
 */
export async function sourceDateEpoch(host: ParameterHost, overlay: string): Promise<string> {
  const commit = await askProject(host, overlay, ["cat-file", "commit", "HEAD"]);
  if (commit === undefined) {
    const day = new Date(undated * 1000).toISOString().slice(0, 10);
    host.note(
      `no commit provides a time, so the image's own files are dated ${day}; --source-date-epoch sets another time`,
    );
    return String(undated);
  }
  // gitformat-commit: the header ends with an empty line; its committer line ends with seconds and a time zone.
  const header = commit.slice(0, `${commit}\n\n`.indexOf("\n\n"));
  const text = /^committer .*> (-?\d+) [+-]\d+$/m.exec(header)?.[1];
  const seconds = secondsOf(text);
  if (seconds !== undefined) return String(seconds);
  throw new UserError(`the commit's time is ${text ?? "missing"}, which an image cannot store`, {
    code: "epoch-invalid",
    where: host.root,
    hint: "set another time with --source-date-epoch, in seconds from 0 to 4294967295 (1970 to 2106)",
  });
}
