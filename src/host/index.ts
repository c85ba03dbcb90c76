/** What the host offers: running its tools, and how a missing one is installed. */
export { ProcessGroups } from "./process-groups.ts";
export { createShell, type Shell, type ShellOptions, toolEnvironment } from "./shell.ts";
