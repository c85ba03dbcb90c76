/** Retries a download while that may help. */
import { UserError } from "../../errors/index.ts";
import type { Clock } from "./clock.ts";
import type { DownloadRequest, TransportLimits } from "./download.ts";
import type { FetchSink } from "./event.ts";
import { explainOther, explainTransient } from "./failure.ts";
import type { Network } from "./network.ts";
import type { Environment } from "./proxy.ts";
import { type Resumable, receive } from "./receive.ts";
import { backoffDelay, transientFailure } from "./retry.ts";
import type { Sink } from "./sink.ts";

export interface TriesContext {
  readonly network: Network;
  readonly limits: TransportLimits;
  readonly env: Environment;
  readonly clock: Clock;
  /** 0 ≤ n < 1, for the jitter between attempts. */
  readonly random: () => number;
  readonly onEvent: FetchSink;
  readonly progress: (total: number | undefined) => void;
}

/**
 * Receives into the sink, with the attempts that are left for this URL. Throws a UserError when there are none left, or
 * when a retry would not help, and the signal's reason when it is aborted.
 */
export async function receiveRepeatedly(
  request: DownloadRequest,
  sink: Sink,
  partial: Resumable,
  context: TriesContext,
): Promise<"fetched" | "unchanged" | "absent"> {
  const { network, limits, env, clock, onEvent } = context;
  const { attempts } = limits;
  const { name, url, signal } = request;
  const receiving = {
    connections: network.connections,
    limits,
    signal,
    now: () => clock.now(),
    progress: context.progress,
    onSlow: (slow: { readonly rate: number; readonly leastRate: number; readonly seconds: number }) =>
      onEvent({ type: "download-slow", name, ...slow }),
    whenFree: (waiting: AbortSignal, work: () => Promise<void>) =>
      network.slots.hold(new URL(url).origin, waiting, work, request.urgent === true ? "urgent" : "spare"),
  };
  for (;;) {
    const { notBefore } = network.attempts.of(url);
    const wait = notBefore - clock.now();
    if (wait > 0) await clock.sleep(wait, signal);
    try {
      const status = await receive(request, sink, partial, receiving);
      network.attempts.succeeded(url);
      return status;
    } catch (error) {
      signal?.throwIfAborted();
      const failure = error instanceof UserError ? undefined : transientFailure(error);
      const attempt = network.attempts.of(url).failed + 1;
      if (failure === undefined || attempt >= attempts || (await request.isElsewhere?.()) === true) {
        const final =
          failure === undefined
            ? explainOther(error, request, env, partial.route)
            : explainTransient(failure, request, attempts, env, limits.settings, partial.route);
        if (final instanceof UserError) network.attempts.gaveUp(url, final);
        throw final;
      }
      const delayMs = failure.retryAfterMs ?? backoffDelay(attempt, limits, context.random());
      network.attempts.failed(url, clock.now() + delayMs);
      onEvent({ type: "download-retry", name, reason: failure.message, attempt, attempts, delayMs });
    }
  }
}
