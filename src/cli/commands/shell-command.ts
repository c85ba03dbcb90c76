/** A command line for the shell that a user wants run after builds of a watch. A later start ends one that still runs. */
import { ProcessGroups, toolEnvironment } from "../../host/index.ts";

export class ShellCommand {
  readonly #option: "on success" | "on failure";
  readonly #command: string;
  readonly #onEnd: (line: string) => void;
  #groups: ProcessGroups | undefined;

  /** `onEnd` gets a line for people when it fails. */
  constructor(option: "on success" | "on failure", command: string, onEnd: (line: string) => void) {
    this.#option = option;
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
    child.once("error", (error) => this.#onEnd(`${this.#option}: ${error.message}`));
    child.once("exit", (status, signal) => {
      if (this.#groups !== groups || status === 0) return;
      this.#onEnd(
        `${this.#option}: \`${this.#command}\` ${status === null ? `was killed by ${signal}` : `exited with status ${status}`}`,
      );
    });
  }

  async end(): Promise<void> {
    const groups = this.#groups;
    this.#groups = undefined;
    await groups?.terminate();
  }
}
