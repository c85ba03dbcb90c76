/** The command that a user wants run after each success. A later success ends one that still runs, and starts it anew. */
import { ProcessGroups, toolEnvironment } from "../../host/index.ts";

export class SuccessCommand {
  readonly #command: string;
  readonly #onEnd: (line: string) => void;
  #groups: ProcessGroups | undefined;

  /** `onEnd` gets a line for people when it fails. */
  constructor(command: string, onEnd: (line: string) => void) {
    this.#command = command;
    this.#onEnd = onEnd;
  }

  /** Starts it in `cwd`, with the artifacts' paths, one a line, in TASK_ARTIFACTS. */
  async start(cwd: string, env: NodeJS.ProcessEnv, artifacts: readonly string[]): Promise<void> {
    await this.end();
    const groups = new ProcessGroups();
    this.#groups = groups;
    const child = groups.spawn("sh", ["-c", this.#command], {
      cwd,
      env: { ...toolEnvironment(), ...env, TASK_ARTIFACTS: artifacts.join("\n") },
      stdio: ["ignore", "inherit", "inherit"],
    });
    child.once("error", (error) => this.#onEnd(`on success: ${error.message}`));
    child.once("exit", (status, signal) => {
      if (this.#groups !== groups || status === 0) return;
      this.#onEnd(
        `on success: \`${this.#command}\` ${status === null ? `was killed by ${signal}` : `exited with status ${status}`}`,
      );
    });
  }

  async end(): Promise<void> {
    const groups = this.#groups;
    this.#groups = undefined;
    await groups?.terminate();
  }
}
