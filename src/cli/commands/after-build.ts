/**
 * What a user wants done after each build of a watch: a command of the shell after a success or a failure, or the new image
 * booted.
 */
import path from "node:path";
import { findTool } from "../../engine/index.ts";
import { UserError } from "../../errors/index.ts";
import { emulator, Machine } from "../../host/index.ts";
import { parametersOf } from "../options/option-table.ts";
import { secretVariables } from "../options/secret-value.ts";
import type { Artifact } from "../output/artifact.ts";
import type { Session } from "../session.ts";
import { ShellCommand } from "./shell-command.ts";

export class AfterBuild {
  readonly #session: Session;
  readonly #say: (line: string) => void;
  readonly #onSuccess: ShellCommand | undefined;
  readonly #onFailure: ShellCommand | undefined;
  #machine: Machine | undefined;

  /** `machine` is one that an earlier watch left running. */
  constructor(session: Session, machine: Machine | undefined, say: (line: string) => void) {
    const { request, style } = session;
    this.#session = session;
    this.#say = say;
    this.#machine = machine;
    const command = (option: "on success" | "on failure", line: string | undefined) =>
      line === undefined ? undefined : new ShellCommand(option, line, (text) => say(style.yellow(text)));
    this.#onSuccess = command("on success", request.onSuccess);
    this.#onFailure = command("on failure", request.onFailure);
  }

  /** Throws a `UserError` when what will be needed is not there. */
  check(): void {
    const { request, workspace } = this.#session;
    if (request.boot) findTool(emulator, workspace.toolHint);
  }

  /** Begins what is wanted after a success; what earlier builds began is ended first. */
  async succeeded(artifacts: readonly Artifact[]): Promise<void> {
    const { request, workspace } = this.#session;
    const root = workspace.state.workspace;
    const files = artifacts
      .filter(({ place }) => place === "workspace")
      .map((artifact) => path.resolve(root, artifact.path));
    await this.#onFailure?.end();
    await this.#onSuccess?.start(root, this.#environment(), files);
    if (request.boot) await this.#boot(files.find((file) => file.endsWith(".iso")));
  }

  /** Begins what is wanted after a failure; what the last success began goes on. */
  async failed(): Promise<void> {
    await this.#onFailure?.start(this.#session.workspace.state.workspace, this.#environment(), []);
  }

  /** Ends the commands, and leaves the machine to the next program. */
  async handOver(): Promise<Machine | undefined> {
    await Promise.all([this.#onSuccess?.end(), this.#onFailure?.end()]);
    const machine = this.#machine;
    this.#machine = undefined;
    return machine;
  }

  async end(): Promise<void> {
    await Promise.all([this.#onSuccess?.end(), this.#onFailure?.end(), this.#machine?.off()]);
  }

  /** The user's environment without the variables that hold secrets. */
  #environment(): NodeJS.ProcessEnv {
    const { io, workspace } = this.#session;
    const env = { ...io.env };
    for (const name of secretVariables(parametersOf(workspace.taskfile))) delete env[name];
    return env;
  }

  async #boot(image: string | undefined): Promise<void> {
    const { style, workspace } = this.#session;
    const root = workspace.state.workspace;
    if (image === undefined) {
      throw new UserError("nothing to boot: the targets make no ISO", {
        code: "boot-nothing",
        hint: "watch a target that makes an ISO, or omit --boot",
      });
    }
    const consoleLog = path.join(path.dirname(workspace.state.root), "boot.log");
    this.#machine ??= new Machine({
      consoleLog,
      env: this.#environment(),
      onEnd: (what) => this.#say(style.yellow(`the virtual machine stopped: ${what}`)),
    });
    await this.#machine.boot(image);
    this.#say(
      `${style.cyan("↻")} booting ${path.relative(root, image)}, console in ${path.relative(root, consoleLog)}`,
    );
  }
}
