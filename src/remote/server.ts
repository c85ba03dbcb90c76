/** Where a remote cache is, and what opens it. */
export interface ServerLocation {
  /** Scheme, host and port. */
  readonly origin: string;
  /** The path of the base, without a slash at its end. */
  readonly path: string;
  /** Headers of each request, credentials among them. */
  readonly headers: Readonly<Record<string, string>>;
  /** The base as it may be shown: without credentials. */
  readonly shown: string;
}
