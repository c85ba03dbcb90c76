/**
 * Tracks which task the running JavaScript belongs to: its output is captured, a stray error fails that task, and code that
 * never finishes or ignores its signal is abandoned.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import { messageOf, UserError } from "../../errors/index.ts";

/** The task or command that code runs for. */
interface CodeOwner {
  /** Its name in messages. */
  readonly name: string;
  /** Takes what its code prints. */
  readonly print: (text: string) => void;
  /** Takes an error that is thrown after its work was done. */
  readonly onLateError?: (error: unknown) => void;
}

/** Takes errors that belong to no owner. */
interface Nobody {
  readonly onError: (error: unknown) => void;
  /** The event loop ran empty. */
  readonly onEmpty: () => void;
}

/** The signals that interrupt work. */
interface CodeSignals {
  /** Asks it to end within the grace period. */
  readonly signal: AbortSignal;
  /** Abandons it at once. */
  readonly hurry?: AbortSignal;
}

interface Scope {
  readonly owner: CodeOwner;
  readonly fail: (error: unknown) => void;
}

/** Grace period in milliseconds: longer than that of processes, since code may wait for these. */
const graceMs = 3000;

export class RunningCode {
  readonly #scopes = new AsyncLocalStorage<Scope>();
  readonly #running = new Set<Scope>();
  readonly #nobody: Nobody;

  constructor(nobody: Nobody) {
    this.#nobody = nobody;
  }

  /** Listens to the process until the returned function is called; `output`: also to what is printed. */
  listen({ output = true } = {}): () => void {
    // The listener that was added last is the innermost one, and handles the error.
    const onError = (error: unknown): void => {
      if (process.listeners("uncaughtException").at(-1) === onError) this.#take(error);
    };
    const onEmpty = (): void => {
      if (process.listeners("beforeExit").at(-1) === onEmpty) this.#failWaiting();
    };
    const streams = output ? [process.stdout, process.stderr] : [];
    const restore = streams.map((stream) => this.#capture(stream));
    process.on("uncaughtException", onError);
    process.on("beforeExit", onEmpty);
    return () => {
      process.off("uncaughtException", onError);
      process.off("beforeExit", onEmpty);
      for (const undo of restore) undo();
      // Node 20 never lets go of a storage that is enabled, and each of them makes every promise of the process slower.
      this.#scopes.disable();
    };
  }

  /**
   * Runs work for an owner, and settles as the work does. Rejects earlier on a stray error of the owner's code, when the event
   * loop is empty, or when the work ignores its signal; its later result is then ignored.
   */
  async run<T>(owner: CodeOwner, { signal, hurry }: CodeSignals, work: () => T | Promise<T>): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    const { promise: failed, reject: fail } = withReject();
    const giveUp = (): void => fail(unresponsive(owner.name));
    const wait = (): void => {
      timer ??= setTimeout(giveUp, graceMs);
    };
    const scope: Scope = { owner, fail };
    signal.addEventListener("abort", wait);
    hurry?.addEventListener("abort", giveUp);
    this.#running.add(scope);
    try {
      if (signal.aborted) wait();
      if (hurry?.aborted) giveUp();
      return await Promise.race([this.#scopes.run(scope, async () => work()), failed]);
    } finally {
      this.#running.delete(scope);
      clearTimeout(timer);
      signal.removeEventListener("abort", wait);
      hurry?.removeEventListener("abort", giveUp);
    }
  }

  /** Runs a callback outside of any owner, although an owner's code calls it. */
  outside<T>(work: () => T): T {
    return this.#scopes.getStore() === undefined ? work() : this.#scopes.exit(work);
  }

  #take(error: unknown): void {
    const scope = this.#scopes.getStore();
    if (scope !== undefined) {
      if (this.#running.has(scope)) scope.fail(error);
      else scope.owner.onLateError?.(error);
      return;
    }
    // Some callbacks, such as those of queueMicrotask, have no async context.
    const suspects = [...this.#running];
    if (suspects.length === 0) this.#nobody.onError(error);
    const names = suspects.map(({ owner }) => owner.name).join(", ");
    for (const { fail } of suspects) {
      if (suspects.length === 1) fail(error);
      else fail(new Error(`${messageOf(error)} (thrown by one of these: ${names})`, { cause: error }));
    }
  }

  /** The event loop is empty: no event can come any more. */
  #failWaiting(): void {
    if (this.#running.size === 0) this.#nobody.onEmpty();
    for (const { owner, fail } of this.#running)
      fail(
        new UserError(`the function of ${owner.name} waits for something that can no longer happen`, {
          code: "task-never-settled",
          hint: "make sure that its promise is resolved or rejected",
        }),
      );
  }

  /** Redirects what an owner's code writes to the owner; everything else passes through. */
  #capture(stream: NodeJS.WriteStream): () => void {
    const { write } = stream;
    const own = Object.hasOwn(stream, "write");
    const captured = (chunk: unknown, ...rest: readonly unknown[]): boolean => {
      const scope = this.#scopes.getStore();
      if (scope === undefined) return Reflect.apply(write, stream, [chunk, ...rest]);
      scope.owner.print(typeof chunk === "string" ? chunk : Buffer.from(chunk as Uint8Array).toString());
      const done = rest.find((one) => typeof one === "function");
      if (done !== undefined) process.nextTick(done as () => void);
      return true;
    };
    stream.write = captured as typeof write;
    return () => {
      if (stream.write !== captured) return;
      if (own) stream.write = write;
      else Reflect.deleteProperty(stream, "write");
    };
  }
}

function unresponsive(name: string): UserError {
  return new UserError(`the function of ${name} did not stop after it was cancelled`, {
    code: "task-unresponsive",
    hint: "pass the function's `signal` to everything that it waits for",
  });
}

function withReject(): { readonly promise: Promise<never>; readonly reject: (error: unknown) => void } {
  let reject: (error: unknown) => void = () => {};
  const promise = new Promise<never>((_, no) => {
    reject = no;
  });
  // Avoids an unhandled rejection when nothing waits for it.
  promise.catch(() => undefined);
  return { promise, reject };
}
