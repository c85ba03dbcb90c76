/**
 * Running host tools through zx, in a fixed environment, each command in its own process group.
 * The engine gives every task a shell of its own.
 */
import { StringDecoder } from "node:string_decoder";
import type { Shell } from "zx/core";
import { commandEnvironment } from "./command-environment.ts";
import { outputStore } from "./command-output.ts";
import type { ProcessGroups } from "./process-groups.ts";
import { argvOf } from "./template-command.ts";
import { toolEnvironment } from "./tool-environment.ts";

export type { Shell } from "zx/core";

export interface ShellOptions {
  /** Absolute path in which commands run. */
  readonly cwd: string;
  /**
   * Absolute path of a directory of their own for the commands' home and temporary files; made, and left to the caller. Without
   * it commands have the caller's.
   */
  readonly home?: string;
  /** Names of the tools that commands may run. */
  readonly tools?: readonly string[];
  /** Variables that the commands see beside the fixed ones. */
  readonly env?: Readonly<Record<string, string>>;
  readonly groups: ProcessGroups;
  /** Commands read from and write to the program's own terminal, and nothing is captured. */
  readonly foreground?: boolean;
  /** Called with every piece of a command's output, in the order of arrival. */
  readonly onOutput?: (text: string) => void;
}

/**
 * A zx shell (`await $`command ${argument}``): arguments are quoted, output is captured, a command that exits
 * with another status than 0 throws zx's `ProcessOutput`. zx is loaded on the first call only.
 */
export async function createShell(options: ShellOptions): Promise<Shell> {
  const { $ } = await import("zx/core");
  const decoders = new Map<string, StringDecoder>();
  const shell = $({
    cwd: options.cwd,
    env:
      options.home === undefined
        ? { ...toolEnvironment(), ...options.env }
        : commandEnvironment(options.home, options.tools ?? [], options.env),
    quiet: true,
    verbose: false,
    stdio: options.foreground === true ? "inherit" : ["ignore", "pipe", "pipe"],
    detached: options.foreground !== true,
    spawn: options.groups.spawn,
    log: ({ kind, data, id }: { readonly kind: string; readonly data?: unknown; readonly id?: string }) => {
      if (kind === "end") for (const stream of ["stdout", "stderr"]) decoders.delete(`${id} ${stream}`);
      if (kind !== "stdout" && kind !== "stderr") return;
      // A chunk may end in the middle of a character.
      const name = `${id} ${kind}`;
      const decoder = decoders.get(name) ?? new StringDecoder();
      decoders.set(name, decoder);
      options.onOutput?.(decoder.write(data as Buffer));
    },
  } as Parameters<typeof $>[0]);
  return perCommand(shell, options.groups);
}

/** Options of zx that change the command line or how it is started: its argument vector is then unknown. */
const lineOptions = ["prefix", "postfix", "quote", "shell", "spawn"];

/**
 * The shell with what each command has of its own: a bounded output store, since zx's is unbounded, and its argument vector,
 * if `direct` and the template needs no shell.
 */
function perCommand(shell: Shell, groups: ProcessGroups, direct = true): Shell {
  return new Proxy(shell, {
    apply: (target, self, args: readonly unknown[]) => {
      const [first, ...values] = args;
      // Options are for a shell that is made of this one.
      if (!isTemplate(first)) {
        const changed =
          typeof first === "object" && first !== null && lineOptions.some((name) => name in first);
        const made = Reflect.apply(target, self, [...args]) as unknown as Shell;
        return perCommand(made, groups, direct && !changed);
      }
      const settled = settling(values);
      const spawn = groups.spawnByArgv(() => argvOf(first, settled.values));
      const own = target({ store: outputStore(), ...(direct ? { spawn } : {}) } as Parameters<Shell>[0]);
      return Reflect.apply(own, self, [first, ...settled.promised]);
    },
  });
}

function isTemplate(value: unknown): value is readonly string[] {
  return Array.isArray(value);
}

interface Settling {
  /** The values for zx, which waits for the promises among them before it starts the command. */
  readonly promised: readonly unknown[];
  /** The same values; each promise is replaced by its result once it has one. */
  readonly values: readonly unknown[];
}

function settling(values: readonly unknown[]): Settling {
  const settled = [...values];
  const promised = values.map((value, index) =>
    isThenable(value)
      ? Promise.resolve(value).then((result: unknown) => {
          settled[index] = result;
          return result;
        })
      : value,
  );
  return { promised, values: settled };
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && "then" in value && typeof value.then === "function";
}
