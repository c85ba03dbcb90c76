/**
 * What a download tells the world while it runs. It does not know who listens: a progress bar, plain lines
 * or JSON are all made of these.
 */

export type FetchEvent =
  | {
      /** It will be downloaded when its turn comes, and its size is known already. */
      readonly type: "download-planned";
      readonly name: string;
      readonly total: number;
    }
  | {
      readonly type: "download-start";
      readonly name: string;
      /** Without credentials. */
      readonly url: string;
    }
  | {
      readonly type: "download-progress";
      readonly name: string;
      /** Bytes received so far, what an earlier try brought and kept included. */
      readonly bytes: number;
      /** Bytes in all, or undefined when the server does not say. */
      readonly total: number | undefined;
    }
  | {
      readonly type: "download-retry";
      readonly name: string;
      readonly reason: string;
      /** The try that failed, from 1, and how many are made at most. */
      readonly attempt: number;
      readonly attempts: number;
      readonly delayMs: number;
    }
  | {
      /** The download is too slow and will be given up unless it becomes faster. */
      readonly type: "download-slow";
      readonly name: string;
      /** Bytes a second: the current rate, and the required average over `seconds`. */
      readonly rate: number;
      readonly leastRate: number;
      readonly seconds: number;
    }
  | {
      readonly type: "download-done";
      readonly name: string;
      readonly bytes: number;
      /** `unchanged`: the validators still hold; `absent`: an optional file that the source lacks. */
      readonly status: "fetched" | "unchanged" | "absent";
    }
  | { readonly type: "download-failed"; readonly name: string; readonly reason: string }
  | { readonly type: "warning"; readonly message: string; readonly where: string | undefined };

export type FetchSink = (event: FetchEvent) => void;

/** A sink for callers that do not care. */
export const ignoreEvents: FetchSink = () => undefined;
