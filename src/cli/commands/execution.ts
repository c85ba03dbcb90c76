/** The executor that the session's command line asks for. */
import type { BuildRequest, Executor } from "../../engine/index.ts";
import { UserError } from "../../errors/index.ts";
import type { Session } from "../session.ts";

/** What a build is told of it; undefined where all tasks run on this machine. */
export async function sessionExecution({
  request,
  io,
  jobProgram,
}: Session): Promise<BuildRequest["execution"] | undefined> {
  const settings = request.executor;
  if (settings === undefined || jobProgram === undefined) return undefined;
  const { SlurmExecutor } = await import("../../remote/index.ts");
  const { jobs, options, remoteCache } = settings;
  const executor: Executor = new SlurmExecutor({
    location: remoteCache.location,
    capacity: jobs,
    options,
    env: io.env,
  });
  return {
    executor,
    program: async () => {
      const text = await jobProgram();
      if (text === undefined)
        throw new UserError("the sources of the tasks changed while the build ran", {
          code: "value-moved",
          hint: "run the build again",
        });
      return Buffer.from(text);
    },
  };
}
