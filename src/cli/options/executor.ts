/** Which executor a build uses: from the command line, the environment or the Taskfile, in this order. */
import type { Taskfile } from "../../engine/index.ts";
import { didYouMean, UsageError } from "../../errors/index.ts";
import { executorVariable } from "./option-table.ts";
import type { RemoteCacheSettings } from "./remote-cache.ts";

/** Where tasks may run. */
const executors = ["local", "slurm"] as const;

export interface ExecutorSettings {
  /** Jobs in flight. */
  readonly jobs: number;
  /** Further options of srun. */
  readonly options: readonly string[];
  readonly remoteCache: RemoteCacheSettings;
}

export interface ExecutorOptions {
  readonly executor?: string;
  readonly jobsRemote?: string;
}

const usualJobs = 16;

/** The settings; undefined where all tasks run on this machine. Throws `UsageError` `executor-invalid`. */
export function executorSettings(
  { executor, jobsRemote }: ExecutorOptions,
  taskfile: Pick<Taskfile, "executor">,
  env: NodeJS.ProcessEnv,
  remoteCache: RemoteCacheSettings | undefined,
): ExecutorSettings | undefined {
  const fromEnvironment = env[executorVariable] === "" ? undefined : env[executorVariable];
  const named = (
    [
      [executor, "--executor"],
      [fromEnvironment, executorVariable],
      [taskfile.executor?.use, "executor.use of the Taskfile"],
    ] as const
  ).find(([name]) => name !== undefined);
  const [name = "local", origin = ""] = named ?? [];
  if (!(executors as readonly string[]).includes(name))
    throw new UsageError(`${origin} is "${name}", but must be one of: ${executors.join(", ")}`, {
      code: "executor-invalid",
      hint: didYouMean(name, executors) ?? "use one of these",
    });
  const jobs = jobsRemote === undefined ? (taskfile.executor?.jobs ?? usualJobs) : Number(jobsRemote);
  if (!Number.isInteger(jobs) || jobs < 1)
    throw new UsageError(`--jobs-remote is "${jobsRemote ?? jobs}", but must be a positive integer`, {
      code: "executor-invalid",
      hint: `omit it for ${usualJobs}`,
    });
  if (name === "local") return undefined;
  if (remoteCache === undefined || !remoteCache.upload)
    throw new UsageError(
      `the executor ${name} needs a remote cache that this machine and the nodes write to`,
      {
        code: "executor-invalid",
        hint: "add --remote-cache URL and --remote-upload",
      },
    );
  return { jobs, options: taskfile.executor?.options ?? [], remoteCache };
}
