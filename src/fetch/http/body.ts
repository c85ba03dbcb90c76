/**
 * Pouring the body of an answer into a sink, within limits and with help for large files. It does not know what
 * was asked before or what happens when it fails.
 */
import { UserError } from "../../errors/index.ts";
import type { Connections } from "./connections.ts";
import type { DownloadRequest, TransportLimits } from "./download.ts";
import { type Answer, exchange } from "./exchange.ts";
import { RateWatch, type SlowDownload } from "./rate-watch.ts";
import { TransientFailure, transientFailure } from "./retry.ts";
import { endOf } from "./route.ts";
import { type Part, Segments } from "./segments.ts";
import { FileSink, type Sink } from "./sink.ts";
import { contentRange, isPartOf, type Version } from "./validators.ts";

export interface ReceiveContext {
  readonly connections: Connections;
  readonly limits: TransportLimits;
  readonly signal: AbortSignal | undefined;
  readonly now: () => number;
  readonly progress: (total: number | undefined) => void;
  readonly onSlow: (slow: SlowDownload) => void;
  /** Runs `work` once a connection to the request's origin is free that no other download waits for. */
  readonly whenFree: (signal: AbortSignal, work: () => Promise<void>) => Promise<void>;
}

/**
 * Receives a whole body; its end over other connections where that is worthwhile and a validator proves that they send the
 * same version. Returns whether other connections were used.
 */
export async function pourWithHelp(
  answer: Answer,
  request: DownloadRequest,
  sink: Sink,
  version: Version,
  context: ReceiveContext,
): Promise<boolean> {
  const { total, rangeToken } = version;
  const { partBytes, perOrigin } = context.limits;
  const isLarge = total !== undefined && partBytes > 0 && total >= 4 * partBytes;
  if (
    !isLarge ||
    rangeToken === undefined ||
    request.inOneGo === true ||
    !(sink instanceof FileSink) ||
    answer.header("accept-ranges") !== "bytes"
  ) {
    await pour(answer, request, sink, total, context);
    return false;
  }
  const segments = new Segments({
    sink,
    total,
    partBytes,
    helpers: perOrigin - 1,
    whenFree: context.whenFree,
    fetchPart: (part, ended) => {
      const signal = context.signal === undefined ? ended : AbortSignal.any([ended, context.signal]);
      return fetchPart(request, sink, part, { ...version, total, rangeToken }, { ...context, signal });
    },
  });
  try {
    await pour(answer, request, sink, total, context, segments);
  } finally {
    await segments.stop();
    sink.forgetAhead();
  }
  return true;
}

/** Where a part is to come from: the same version of a file of the same size, or not at all. */
async function fetchPart(
  request: DownloadRequest,
  sink: FileSink,
  part: Part,
  version: Version & { readonly total: number; readonly rangeToken: string },
  context: ReceiveContext,
): Promise<void> {
  const headers = {
    range: `bytes=${part.start}-${part.end - 1}`,
    "if-range": version.rangeToken,
  };
  const { maxRedirects } = context.limits;
  const sent = { url: new URL(request.url), headers, maxRedirects, signal: context.signal };
  await exchange(context.connections, sent, async (answer) => {
    const range = contentRange(answer);
    const isPart =
      range?.first === part.start && range.last === part.end - 1 && range.total === version.total;
    if (answer.status !== 206 || !isPart || !isPartOf(version, answer)) {
      throw new TransientFailure("the server did not send the requested range", { code: "cut-off" });
    }
    let position = part.start;
    const rate = watchRate(context);
    for await (const chunk of answer.body) {
      rate.received(chunk.length);
      if (position + chunk.length > part.end)
        throw new TransientFailure("the range was too long", { code: "cut-off" });
      await sink.writeAhead(chunk, position);
      position += chunk.length;
      context.progress(version.total);
    }
    if (position !== part.end) throw new TransientFailure("the range was too short", { code: "cut-off" });
  });
}

function watchRate({ limits, now, onSlow }: ReceiveContext): RateWatch {
  return new RateWatch(limits, now, onSlow);
}

/** Pours a body, up to where `segments` take over; `total` is the size of the file when all of it has come. */
export async function pour(
  answer: Answer,
  request: DownloadRequest,
  sink: Sink,
  total: number | undefined,
  context: ReceiveContext,
  segments?: Segments,
): Promise<void> {
  const where = endOf(answer.route);
  const most = request.maxBytes ?? context.limits.maxBytes;
  const tooLarge = (): UserError =>
    new UserError(`${request.name} is larger than ${most} bytes, which is the limit`, {
      code: "too-large",
      hint: "check the URL: no mirror has a file of this kind of that size",
      where,
    });
  const tooLong = (): UserError =>
    new UserError(`${request.name}: the server sent more bytes than it announced (${total})`, {
      code: "body-too-long",
      where,
      hint: "use another mirror: the mirror or a proxy is broken",
    });
  if (total !== undefined && total > most) throw tooLarge();
  const rate = watchRate(context);
  try {
    for await (const chunk of answer.body) {
      rate.received(chunk.length);
      if (total !== undefined && sink.size + chunk.length > total) throw tooLong();
      if (sink.size + chunk.length > most) throw tooLarge();
      await sink.write(chunk.subarray(0, segments?.take(chunk.length) ?? chunk.length));
      context.progress(total);
      if (segments?.isMet === true) break;
    }
    if (segments !== undefined && !(await segments.join())) {
      throw new TransientFailure("a range did not arrive", { code: "cut-off" });
    }
  } catch (error) {
    // A proxy that hangs up right behind the last byte is reported as a broken connection, yet all is there.
    const isComplete = sink.size === total && transientFailure(error) !== undefined;
    if (!isComplete || context.signal?.aborted === true) throw error;
    return;
  }
  if (total !== undefined && sink.size < total) {
    throw new TransientFailure(`only ${sink.size} of ${total} bytes arrived`, { code: "cut-off" });
  }
  if (segments === undefined && (await answer.hasExcess())) throw tooLong();
}
