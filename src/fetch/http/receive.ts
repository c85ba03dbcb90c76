/**
 * One try at a download over HTTP: fresh, conditional or resumed. It does not know of other tries, except
 * through what they left in the sink and the progress record.
 */
import { UserError } from "../../errors/index.ts";
import { pour, pourWithHelp, type ReceiveContext } from "./body.ts";
import type { DownloadRequest, Validators } from "./download.ts";
import { type Answer, exchange } from "./exchange.ts";
import { explainStatus } from "./failure.ts";
import { isTransientStatus, parseRetryAfter, TransientFailure } from "./retry.ts";
import { endOf, type Route } from "./route.ts";
import type { Sink } from "./sink.ts";
import { contentRange, isPartOf, type Version, versionOf } from "./validators.ts";

/** State of earlier attempts: the sink may hold the beginning of a version of the file. */
export interface Resumable {
  version: Version | undefined;
  /** Whether the sink's bytes come from more than one response. */
  isAssembled: boolean;
  /** The URLs of the last request and its redirects, as far as they are known. */
  route: Route;
}

/** Throws TransientFailure or a connection's error when another try may help, UserError when not. */
export async function receive(
  request: DownloadRequest,
  sink: Sink,
  partial: Resumable,
  context: ReceiveContext,
): Promise<"fetched" | "unchanged" | "absent"> {
  // Without a strong validator nothing proves that the parts belong together, so the download restarts.
  const resumeToken = partial.version?.rangeToken;
  if (sink.size > 0 && resumeToken === undefined) await sink.restart();
  partial.route = [new URL(request.url)];
  const offset = sink.size;
  const headers = {
    ...(offset > 0 && resumeToken !== undefined
      ? { range: `bytes=${offset}-`, "if-range": resumeToken }
      : conditions(request.validators)),
  };
  const { maxRedirects } = context.limits;
  const sent = {
    url: new URL(request.url),
    headers,
    maxRedirects,
    signal: context.signal,
    onRedirect: (route: Route) => {
      partial.route = route;
    },
  };
  return await exchange(context.connections, sent, async (answer) => {
    switch (answer.status) {
      case 200:
        if (sink.size > 0) await sink.restart();
        partial.version = versionOf(answer);
        partial.isAssembled = await pourWithHelp(answer, request, sink, partial.version, context);
        return "fetched";
      case 206: {
        const total = await acceptRange(answer, sink, offset, partial.version);
        partial.isAssembled = true;
        await pour(answer, request, sink, total, context);
        return "fetched";
      }
      case 304:
        if (offset === 0 && request.validators !== undefined) return "unchanged";
        throw explainStatus(answer, request);
      case 404:
      case 410:
        if (request.optional === true) return "absent";
        throw explainStatus(answer, request);
      case 416:
        await sink.restart();
        throw new TransientFailure("the server could not resume the download", { code: "cut-off" });
      default:
        throw refusal(answer, request, context);
    }
  });
}

function conditions(validators: Validators | undefined): Readonly<Record<string, string>> {
  return {
    ...(validators?.etag === undefined ? {} : { "if-none-match": validators.etag }),
    ...(validators?.lastModified === undefined ? {} : { "if-modified-since": validators.lastModified }),
  };
}

/** Checks that a 206 continues the version that the sink holds where the sink ends; gives the size of the whole, if known. */
async function acceptRange(
  answer: Answer,
  sink: Sink,
  offset: number,
  version: Version | undefined,
): Promise<number | undefined> {
  const range = contentRange(answer);
  const isSameVersion = version !== undefined && isPartOf(version, answer);
  if (offset > 0 && range?.first === offset && isSameVersion) return range.total ?? version.total;
  await sink.restart();
  throw new TransientFailure(
    isSameVersion
      ? "the server resumed at the wrong offset"
      : "the server resumed with another version of the file",
    { code: "cut-off" },
  );
}

function refusal(answer: Answer, request: DownloadRequest, context: ReceiveContext): Error {
  if (!isTransientStatus(answer.status)) return explainStatus(answer, request);
  const retryAfterMs = parseRetryAfter(answer.header("retry-after"), context.now());
  const code = answer.status === 429 ? "rate-limited" : "server-error";
  const most = context.limits.maxRetryAfterMs;
  if (retryAfterMs !== undefined && retryAfterMs > most) {
    const seconds = Math.round(retryAfterMs / 1000);
    return new UserError(
      `cannot download ${request.name}: the server answered ${answer.status} and asked to wait ${seconds} s`,
      { code, where: endOf(answer.route), hint: "wait that long and try again, or use another mirror" },
    );
  }
  return new TransientFailure(`the server answered ${answer.status}`, { code, retryAfterMs });
}
