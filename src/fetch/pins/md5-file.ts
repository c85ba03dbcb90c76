/** The md5sum line that stands beside a file on a mirror. */
import { publicUrl } from "../http/location.ts";
import type { Transport } from "../http/transport.ts";
import { broken, lines } from "./numbered-lines.ts";

/** Bytes: a thousand times the usual size. */
const maxMd5FileBytes = 1024 ** 2;

/** The md5 in the `.md5.txt` at `url`; undefined when there is no such file. */
export async function readMd5At(
  transport: Transport,
  url: string,
  name: string,
  where?: string,
  signal?: AbortSignal,
): Promise<string | undefined> {
  const place = { ...(where === undefined ? {} : { where }), ...(signal === undefined ? {} : { signal }) };
  const maxBytes = maxMd5FileBytes;
  const answer = await transport.read({ name, url, kind: "text", optional: true, maxBytes, ...place });
  return answer.status === "fetched"
    ? parseMd5File(answer.bytes.toString("utf8"), publicUrl(url))
    : undefined;
}

/** The md5 (lower-case hexadecimal) in an `.md5.txt`: one md5sum line, of whatever file name. */
export function parseMd5File(text: string, where: string): string {
  for (const line of lines(text)) {
    if (line.text === "") continue;
    const md5 = /^([0-9a-fA-F]{32})(\s|$)/.exec(line.text)?.[1];
    if (md5 === undefined) throw broken(where, line.number, line.text, "an md5sum line");
    return md5.toLowerCase();
  }
  throw broken(where, 1, "", "an md5sum line");
}
