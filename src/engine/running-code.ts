/**
 * The JavaScript of tasks at work: which task the running code belongs to, so that what it prints is captured, an error that none of
 * its promises carries is its failure, and code that never finishes or ignores its signal is given up.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import { messageOf, UserError } from "../errors/index.ts";

/** What a piece of code is run for. */
export interface CodeOwner {
  /** As users know it. */
  readonly name: string;
  /** Takes what its code prints. */
  readonly print: (text: string) => void;
  /** Takes an error that came when its work was over. */
  readonly onLateError?: (error: unknown) => void;
}

/** Takes what goes wrong while no such code runs. */
export interface Nobody {
  readonly onError: (error: unknown) => void;
  /** The event loop ran empty. */
  readonly onEmpty: () => void;
}

/** What ends work from outside. */
export interface CodeSignals {
  /** Asks it to end: it has the grace for that. */
  readonly signal: AbortSignal;
  /** Gives it up at once. */
  readonly hurry?: AbortSignal;
}

interface Scope {
  readonly owner: CodeOwner;
  readonly fail: (error: unknown) => void;
}

/** Milliseconds that code has to end by itself: longer than its processes have, for it may wait for these. */
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
    // Of several that listen, the one that began last runs the innermost code.
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
    };
  }

  /**
   * Does work for an owner, and settles as the work does. Rejects before that when an error of the owner's code goes astray, when
   * nothing is left that the work could be waiting for, or when it was to end and did not: then the work's result is never used.
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

  /** Does something that is not the owner's own, although its code calls for it. */
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
    // queueMicrotask, for one, does not tell whose callback it calls.
    const suspects = [...this.#running];
    if (suspects.length === 0) this.#nobody.onError(error);
    const names = suspects.map(({ owner }) => owner.name).join(", ");
    for (const { fail } of suspects) {
      if (suspects.length === 1) fail(error);
      else
        fail(new Error(`${messageOf(error)} (thrown by code of one of these: ${names})`, { cause: error }));
    }
  }

  /** The event loop ran empty: no event can come any more. */
  #failWaiting(): void {
    if (this.#running.size === 0) this.#nobody.onEmpty();
    for (const { owner, fail } of this.#running)
      fail(
        new UserError(
          `the function of ${owner.name} never finished: nothing is left that it could be waiting for`,
          {
            code: "task-never-settled",
            hint: "resolve or reject the promise that its function returns; an event that it waits for does not come",
          },
        ),
      );
  }

  /** Hands what an owner's code writes to the owner; everything else is written as ever. */
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
  return new UserError(`the function of ${name} did not end when it was asked to`, {
    code: "task-unresponsive",
    hint: "let the function hand its `signal` on to what it waits for",
  });
}

function withReject(): { readonly promise: Promise<never>; readonly reject: (error: unknown) => void } {
  let reject: (error: unknown) => void = () => {};
  const promise = new Promise<never>((_, no) => {
    reject = no;
  });
  // Nobody may be waiting any more.
  promise.catch(() => undefined);
  return { promise, reject };
}
