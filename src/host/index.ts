/** What the host offers: running its tools, and how a missing one is installed. */
export { installHint } from "./install-hint.ts";
export { ProcessGroups } from "./process-groups.ts";
export { createShell, type Shell, type ShellOptions, toolEnvironment } from "./shell.ts";
