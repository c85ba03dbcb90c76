/**
 * One try at a download over HTTP: fresh, conditional or resumed. It does not know of other tries, except
 * through what they left in the sink and the progress record.
 */
import { UserError } from "../errors/index.ts";
import { pour, pourWithHelp, type ReceiveContext } from "./body.ts";
import type { DownloadRequest, Validators } from "./download.ts";
import { type Answer, exchange } from "./exchange.ts";
import { explainStatus } from "./failure.ts";
import { publicUrl } from "./location.ts";
import { isTransientStatus, parseRetryAfter, TransientFailure } from "./retry.ts";
import type { Sink } from "./sink.ts";

/** What is known of the file whose beginning the sink may hold already. */
export interface Resumable {
  validators: Validators;
}

/** Throws TransientFailure or a connection's error when another try may help, UserError when not. */
export async function receive(
  request: DownloadRequest,
  sink: Sink,
  partial: Resumable,
  context: ReceiveContext,
): Promise<"fetched" | "unchanged" | "absent"> {
  // A weak validator cannot vouch for bytes (RFC 9110 13.1.5), so without a strong one it is begun anew.
  const resumeToken = strongValidator(partial.validators);
  if (sink.size > 0 && resumeToken === undefined) await sink.restart();
  const offset = sink.size;
  const headers = {
    ...(offset > 0 && resumeToken !== undefined
      ? { range: `bytes=${offset}-`, "if-range": resumeToken }
      : conditions(request.validators)),
  };
  const { maxRedirects } = context.limits;
  const sent = { url: new URL(request.url), headers, maxRedirects, signal: context.signal };
  return await exchange(context.connections, sent, async (answer) => {
    switch (answer.status) {
      case 200:
        if (sink.size > 0) await sink.restart();
        partial.validators = validatorsOf(answer);
        await pourWithHelp(answer, request, sink, strongValidator(partial.validators), context);
        return "fetched";
      case 206: {
        const total = await acceptRange(answer, sink, offset);
        await pour(answer, request, sink, total, context);
        return "fetched";
      }
      case 304:
        if (offset === 0 && request.validators !== undefined) return "unchanged";
        throw explainStatus(304, request, answer.proxy);
      case 404:
      case 410:
        if (request.optional === true) return "absent";
        throw explainStatus(answer.status, request, answer.proxy);
      case 416:
        await sink.restart();
        throw new TransientFailure("the server could not continue where it was cut off", { code: "cut-off" });
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

function strongValidator(validators: Validators): string | undefined {
  if (validators.etag !== undefined && !validators.etag.startsWith("W/")) return validators.etag;
  return validators.lastModified;
}

function validatorsOf(answer: Answer): Validators {
  const etag = answer.header("etag");
  const lastModified = answer.header("last-modified");
  return {
    ...(etag === undefined ? {} : { etag }),
    ...(lastModified === undefined ? {} : { lastModified }),
  };
}

/** Checks that a 206 continues where the sink ends; gives the size of the whole, if known. */
async function acceptRange(answer: Answer, sink: Sink, offset: number): Promise<number | undefined> {
  // RFC 9110 14.4: Content-Range = "bytes" first "-" last "/" ( complete-length | "*" ).
  const range = /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15}|\*)$/.exec(answer.header("content-range") ?? "");
  if (offset === 0 || range === null || Number(range[1]) !== offset) {
    await sink.restart();
    throw new TransientFailure("the server continued at another place than asked", { code: "cut-off" });
  }
  return range[3] === "*" ? undefined : Number(range[3]);
}

function refusal(answer: Answer, request: DownloadRequest, context: ReceiveContext): Error {
  if (!isTransientStatus(answer.status)) return explainStatus(answer.status, request, answer.proxy);
  const retryAfterMs = parseRetryAfter(answer.header("retry-after"), context.now());
  const code = answer.status === 429 ? "rate-limited" : "server-error";
  const most = context.limits.maxRetryAfterMs;
  if (retryAfterMs !== undefined && retryAfterMs > most) {
    const seconds = Math.round(retryAfterMs / 1000);
    return new UserError(
      `cannot download ${request.name}: the server answered ${answer.status} and asks to wait ${seconds} s`,
      { code, where: publicUrl(request.url), hint: "try again then, or use another mirror" },
    );
  }
  return new TransientFailure(`the server answered ${answer.status}`, { code, retryAfterMs });
}
