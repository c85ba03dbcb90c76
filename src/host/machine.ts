/** A virtual machine that boots a CD image, under QEMU: what a user looks at while an image is worked on. */
import { ProcessGroups } from "./process-groups.ts";
import { canUseKvm, emulator, qemuArguments } from "./qemu.ts";

export interface MachineOptions {
  /** Absolute path; the machine gets what the system writes to its first serial line. */
  readonly consoleLog: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Called when the machine ends without being told to; `what` says how. */
  readonly onEnd: (what: string) => void;
}

export class Machine {
  readonly #options: MachineOptions;
  #groups: ProcessGroups | undefined;

  constructor(options: MachineOptions) {
    this.#options = options;
  }

  /** Boots the CD image at an absolute path; a machine that runs is switched off first. */
  async boot(image: string): Promise<void> {
    await this.off();
    const { consoleLog, env, onEnd } = this.#options;
    const groups = new ProcessGroups();
    this.#groups = groups;
    const child = groups.spawn(emulator, argumentsFor(image, consoleLog, env), {
      env: env as NodeJS.ProcessEnv,
      stdio: ["ignore", "ignore", "pipe"],
    });
    let said = "";
    child.stderr?.setEncoding("utf8");
    child.stderr?.on("data", (text: string) => {
      said = (said + text).slice(-2000);
    });
    child.once("error", (error) => onEnd(error.message));
    child.once("close", (status) => {
      if (this.#groups !== groups) return;
      this.#groups = undefined;
      onEnd(said.trim() === "" ? `it powered off (status ${status})` : said.trim());
    });
  }

  async off(): Promise<void> {
    const groups = this.#groups;
    this.#groups = undefined;
    await groups?.terminate(1000);
  }
}

/** The window on a screen of this machine, where there is one. */
function argumentsFor(image: string, consoleLog: string, env: MachineOptions["env"]): readonly string[] {
  const display = [env.DISPLAY, env.WAYLAND_DISPLAY].some((screen) => screen !== undefined && screen !== "");
  return qemuArguments({
    ...{ medium: { cdrom: image }, memory: 1024, kvm: canUseKvm(), display, once: false },
    console: { file: consoleLog },
  });
}
