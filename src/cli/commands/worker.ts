/**
 * The program on a node of a cluster: takes one job from the remote cache, runs it in an empty workspace, and reports on standard
 * output, one JSON object a line.
 */
import { setMaxListeners } from "node:events";
import path from "node:path";
import {
  absolutePath,
  type Digest,
  digestFrom,
  type Job,
  JobContentLost,
  JobDeclined,
  requireTaskfile,
  runJob,
  State,
  TaskFailure,
} from "../../engine/index.ts";
import { messageOf, UserError } from "../../errors/index.ts";
import { installHint } from "../../host/index.ts";
import { HttpCache, type JobReport, longPatience, type ServerLocation } from "../../remote/index.ts";
import { codeIndexOf, type Manifest } from "../output/code-index.ts";

/** Seconds that a finished job waits for its result to be stored. */
const uploadWait = 600;
/** Exit status of a job whose end tells nothing of the task. */
const lostStatus = 75;

/** What the script that starts it hands over. */
interface Work {
  /** Absolute path of an empty directory of its own. */
  readonly directory: string;
  readonly location: ServerLocation;
  readonly job: string;
  readonly node: string;
  readonly manifest: Pick<Manifest, "code" | "imports" | "lines">;
  readonly loadTaskfile: () => Promise<unknown>;
  readonly signal: AbortSignal;
}

/** Returns the exit status: 0 when the result is in the remote cache, 1 when the task failed, 75 otherwise. */
export async function work({
  directory,
  location,
  job,
  node,
  manifest,
  loadTaskfile,
  signal,
}: Work): Promise<number> {
  // As many requests listen to it as there are contents on their way.
  setMaxListeners(0, signal);
  const report = (line: JobReport): void => void process.stdout.write(`${JSON.stringify(line)}\n`);
  const workspace = path.join(directory, "workspace");
  const root = absolutePath(workspace);
  const code = codeIndexOf({ ...manifest, packageRoot: workspace, directory, sources: [] }, workspace);
  const note = (message: string): void => report({ type: "note", message });
  const cache = new HttpCache(location, {
    upload: true,
    maker: node,
    onWarning: note,
    patience: longPatience,
  });
  try {
    const taskfile = requireTaskfile(await loadTaskfile(), code.locate);
    const description = await readJob(cache, digestFrom(job), signal);
    await runJob(
      { taskfile, state: new State(root), code, toolHint: installHint, env: process.env },
      description,
      {
        remote: cache,
        node,
        signal,
        onOutput: (text) => report({ type: "output", text }),
        onNote: note,
      },
    );
    await cache.flush(uploadWait, signal);
    if (cache.traffic.stored !== 1)
      throw new JobContentLost("the result could not be stored in the remote cache");
    report({ type: "done", node });
    return 0;
  } catch (error) {
    if (error instanceof JobContentLost || signal.aborted) {
      note(`${node}: ${messageOf(error)}`);
      return lostStatus;
    }
    if (error instanceof JobDeclined) {
      report({ type: "declined", node, why: error.message });
      return lostStatus;
    }
    const cause = error instanceof TaskFailure ? error.cause : error;
    const { where, hint } = cause instanceof UserError ? cause : { where: undefined, hint: undefined };
    report({
      type: "failed",
      node,
      failure: {
        message: messageOf(cause),
        ...(where === undefined ? {} : { where: where.replaceAll(`${workspace}/`, "") }),
        ...(hint === undefined ? {} : { hint }),
      },
    });
    return 1;
  } finally {
    await cache.close();
  }
}

async function readJob(cache: HttpCache, digest: Digest, signal: AbortSignal): Promise<Job> {
  const bytes = await cache.content(digest, signal);
  if (bytes === undefined) throw new JobContentLost("the job is not in the remote cache");
  // Its digest came from the machine that submitted it, so it is what that machine wrote.
  return JSON.parse(Buffer.from(bytes).toString("utf8")) as Job;
}
