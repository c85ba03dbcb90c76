/**
 * Running host tools through zx, in a fixed environment, each command in its own process group.
 * It knows nothing of tasks; the engine gives every task a shell of its own.
 */
import type { Shell } from "zx/core";
import { commandEnvironment } from "./command-environment.ts";
import type { ProcessGroups } from "./process-groups.ts";
import { toolEnvironment } from "./tool-environment.ts";

export type { Shell } from "zx/core";

export interface ShellOptions {
  /** Absolute path in which commands run. */
  readonly cwd: string;
  /**
   * Absolute path of a folder of their own for the commands' home and temporary files; made, and left to the caller. Without
   * it commands have the caller's.
   */
  readonly home?: string;
  /** The tools that commands may be, by name. */
  readonly tools?: readonly string[];
  /** Variables that the commands see beside the fixed ones. */
  readonly env?: Readonly<Record<string, string>>;
  readonly groups: ProcessGroups;
  /** Called with every piece of a command's output, in the order of arrival. */
  readonly onOutput?: (text: string) => void;
}

/**
 * A zx shell (`await $`command ${argument}``): arguments are quoted, output is captured, a command that exits
 * with another status than 0 throws zx's `ProcessOutput`. zx is loaded on the first call only.
 */
export async function createShell(options: ShellOptions): Promise<Shell> {
  const { $ } = await import("zx/core");
  return $({
    cwd: options.cwd,
    env:
      options.home === undefined
        ? { ...toolEnvironment(), ...options.env }
        : commandEnvironment(options.home, options.tools ?? [], options.env),
    quiet: true,
    verbose: false,
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
    spawn: options.groups.spawn,
    log: (entry: { readonly kind: string; readonly data?: unknown }) => {
      if (entry.kind === "stdout" || entry.kind === "stderr") options.onOutput?.(String(entry.data));
    },
  } as Parameters<typeof $>[0]);
}
