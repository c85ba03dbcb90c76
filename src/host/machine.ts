/** A virtual machine that boots a CD image, under QEMU: what a user looks at while an image is worked on. */
import { accessSync, constants, readFileSync } from "node:fs";
import { ProcessGroups } from "./process-groups.ts";

/** The program that is started; the caller makes sure that it is installed. */
export const emulator = "qemu-system-x86_64";

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
    const child = groups.spawn(emulator, machineArguments(image, consoleLog, env), {
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

/** A comma in a file name would begin the next suboption (qemu(1)): it is doubled. */
function machineArguments(image: string, consoleLog: string, env: MachineOptions["env"]): readonly string[] {
  const quoted = (file: string): string => file.replaceAll(",", ",,");
  const seen = [env.DISPLAY, env.WAYLAND_DISPLAY].some((display) => display !== undefined && display !== "");
  return [
    ...(canUse("/dev/kvm") && !isVirtual()
      ? ["-accel", "kvm", "-cpu", "host"]
      : ["-accel", "tcg", "-cpu", "max"]),
    ...["-smp", "2", "-m", "1024", "-name", "task"],
    ...(seen ? [] : ["-display", "none"]),
    ...["-chardev", `file,id=console,path=${quoted(consoleLog)}`, "-serial", "chardev:console"],
    ...["-nic", "user,model=virtio-net-pci"],
    ...["-drive", `file=${quoted(image)},media=cdrom,format=raw,readonly=on`, "-boot", "d"],
  ];
}

/** Whether this is a virtual machine itself: one in another often starts and then does nothing at all. */
function isVirtual(): boolean {
  try {
    return /^flags\s*:.*\bhypervisor\b/m.test(readFileSync("/proc/cpuinfo", "utf8"));
  } catch {
    return false;
  }
}

function canUse(device: string): boolean {
  try {
    accessSync(device, constants.R_OK | constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
