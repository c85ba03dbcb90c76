/** A choice on the program's terminal, which a signal ends as it ends the program. */
import type { Io, Terminal } from "./io.ts";
import type { PickRequest } from "./picker.ts";
import { type Shutdown, statusOf } from "./shutdown.ts";

/** The terminal for choices; undefined without one, or where moving the cursor is unwanted: dumb terminals, CI, screen readers. */
export function choiceTerminal(io: Io): Terminal | undefined {
  const { TERM, CI, ACCESSIBLE } = io.env;
  const isPlain = TERM === "dumb" || (CI ?? "") !== "" || (ACCESSIBLE ?? "") !== "";
  return isPlain ? undefined : io.terminal();
}

/** The chosen value; the program's exit status if the user left, or a signal came. */
export async function choose<T>(
  io: Io,
  request: Omit<PickRequest<T>, "signal" | "onInterrupt">,
): Promise<{ readonly value: T } | { readonly status: number }> {
  const interruption = new AbortController();
  let shutdown: Shutdown | undefined;
  const stopListening = io.onShutdown((now) => {
    shutdown = now;
    interruption.abort();
  });
  try {
    const { pick } = await import("./picker.ts");
    const onInterrupt = (): void => {
      shutdown = "SIGINT";
    };
    const value = await pick({ ...request, signal: interruption.signal, onInterrupt });
    if (shutdown !== undefined) return { status: statusOf(shutdown) };
    return value === undefined ? { status: 0 } : { value };
  } finally {
    stopListening();
  }
}
