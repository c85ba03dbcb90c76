/**
 * What a user wants done after each build of a watch that succeeded: a command of the shell, or the new image booted.
 */
import path from "node:path";
import { findTool } from "../../engine/index.ts";
import { UserError } from "../../errors/index.ts";
import { emulator, Machine } from "../../host/index.ts";
import { parametersOf } from "../options/option-table.ts";
import { secretVariables } from "../options/secret-value.ts";
import type { Artifact } from "../output/artifact.ts";
import type { Session } from "../session.ts";
import { SuccessCommand } from "./success-command.ts";

export class AfterSuccess {
  readonly #session: Session;
  readonly #say: (line: string) => void;
  readonly #command: SuccessCommand | undefined;
  #machine: Machine | undefined;

  /** `machine` is one that an earlier watch left running. */
  constructor(session: Session, machine: Machine | undefined, say: (line: string) => void) {
    const { request, style } = session;
    this.#session = session;
    this.#say = say;
    this.#machine = machine;
    this.#command =
      request.onSuccess === undefined
        ? undefined
        : new SuccessCommand(request.onSuccess, (line) => say(style.yellow(line)));
  }

  /** Throws a `UserError` when what will be needed is not there. */
  check(): void {
    const { request, workspace } = this.#session;
    if (request.boot) findTool(emulator, workspace.toolHint);
  }

  /** Begins what is wanted; what the last build's success began is ended first. */
  async begin(artifacts: readonly Artifact[]): Promise<void> {
    const { request, workspace } = this.#session;
    const root = workspace.state.workspace;
    const files = artifacts
      .filter(({ place }) => place === "workspace")
      .map((artifact) => path.resolve(root, artifact.path));
    await this.#command?.start(root, this.#environment(), files);
    if (request.boot) await this.#boot(files.find((file) => file.endsWith(".iso")));
  }

  /** Ends the command, and leaves the machine to whoever goes on. */
  async handOver(): Promise<Machine | undefined> {
    await this.#command?.end();
    const machine = this.#machine;
    this.#machine = undefined;
    return machine;
  }

  async end(): Promise<void> {
    await Promise.all([this.#command?.end(), this.#machine?.off()]);
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
