/** Telling files that Node's module loader reads, such as a library loaded late, from those that code reads itself. */

/**
 * Whether `called`, a function that is running, was called by the module loader, for an installed module. Node's CommonJS
 * loader reads modules by calling node:fs (lib/internal/modules/cjs/loader.js).
 */
export function isModuleLoading(file: string, called: (...args: never[]) => unknown): boolean {
  if (!/\/node_modules(?:\/|$)/.test(file)) return false;
  const at: { stack?: string } = {};
  const before = Error.stackTraceLimit;
  Error.stackTraceLimit = 8;
  Error.captureStackTrace(at, called);
  Error.stackTraceLimit = before;
  const calls = (at.stack ?? "").split("\n").slice(1);
  const caller = calls.find((line) => !/node:fs|node:internal\/fs|node:internal\/url/.test(line));
  return caller?.includes("node:internal/modules/") ?? false;
}
