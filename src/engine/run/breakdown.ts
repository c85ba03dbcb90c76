/** Ends a build for reasons that belong to no task: a stray error, an empty event loop, or work that ignores the shutdown. */
import { UserError } from "../../errors/index.ts";

export class Breakdown {
  /** Aborted by an error that belongs to no task; the reason is that error. */
  readonly signal: AbortSignal;
  /** Rejects when the build can never finish. */
  readonly stuck: Promise<never>;
  readonly #controller = new AbortController();
  #reject: (error: unknown) => void = () => {};
  readonly #close: () => void;

  /** `signal` and `hurry` interrupt the build, which then has this many milliseconds to end, or a tenth of them. */
  constructor(
    { signal, hurry }: { readonly signal: AbortSignal; readonly hurry?: AbortSignal },
    graceMs = 10_000,
  ) {
    this.signal = this.#controller.signal;
    this.stuck = new Promise((_, reject) => {
      this.#reject = reject;
    });
    this.stuck.catch(() => undefined);
    const timers: NodeJS.Timeout[] = [];
    const giveUpAfter = (ms: number) => (): void => {
      timers.push(
        setTimeout(
          () => this.#reject(new Error("the build did not stop after it was cancelled")),
          ms,
        ).unref(),
      );
    };
    const [slowly, soon] = [giveUpAfter(graceMs), giveUpAfter(graceMs / 10)];
    signal.addEventListener("abort", slowly);
    hurry?.addEventListener("abort", soon);
    this.#close = () => {
      signal.removeEventListener("abort", slowly);
      hurry?.removeEventListener("abort", soon);
      for (const timer of timers) clearTimeout(timer);
    };
  }

  /** Takes an error that belongs to no task; everything that runs is aborted. */
  onError(error: unknown): void {
    this.#controller.abort(error);
  }

  /** The event loop ran empty while no task's code ran. */
  onEmpty(): void {
    this.#reject(
      new UserError("the build waits for something that can no longer happen", {
        code: "build-never-settled",
        hint: "make sure that every function that computes an input or a parameter settles its promise",
      }),
    );
  }

  close(): void {
    this.#close();
  }
}
