/** What the host offers: running its tools, and how a missing one is installed. */
export { type GitCommand, gitCommand } from "./git-command.ts";
export { installHint } from "./install-hint.ts";
export {
  isOlder,
  knownTools,
  reportTool,
  type ToolReport,
  tableName,
  toolsOfFiles,
} from "./installed-tool.ts";
export { emulator, Machine, type MachineOptions } from "./machine.ts";
export { mapParallel } from "./map-parallel.ts";
export { endOrphans, findOrphans, type OrphanedProcess } from "./orphaned-processes.ts";
export { type CommandWrapper, ProcessGroups, type ProcessListener } from "./process-groups.ts";
export { createShell, type Shell, type ShellOptions } from "./shell.ts";
export { toolEnvironment } from "./tool-environment.ts";
export { searchTool, type ToolSearch } from "./tool-path.ts";
export { HeapGrowth, openMinorCollector } from "./v8-flags.ts";
