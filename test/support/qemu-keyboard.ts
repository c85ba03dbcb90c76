/**
 * The keyboard of a virtual machine, through QEMU's monitor.
 *
 * Source: the QEMU manual, "QEMU Monitor" (`sendkey keys [hold_ms]`: keys are joined by `-`).
 */
import { connect, type Socket } from "node:net";
import { setTimeout as wait } from "node:timers/promises";

/** Names of keys that are no letter or digit, and of those that need Shift. */
const keyNames: Readonly<Record<string, string>> = {
  " ": "spc",
  "=": "equal",
  "/": "slash",
  "\n": "ret",
  "-": "minus",
  ".": "dot",
};

export class QemuKeyboard {
  /** The machine's further arguments; `socket` is an absolute path that does not exist. */
  static arguments(socket: string): readonly string[] {
    return [
      "-chardev",
      `socket,id=monitor,path=${socket.replaceAll(",", ",,")},server=on,wait=off`,
      "-mon",
      "monitor",
    ];
  }

  readonly #monitor: Socket;

  private constructor(monitor: Socket) {
    this.#monitor = monitor;
    // A machine that ends takes its monitor with it.
    monitor.on("error", () => undefined);
    monitor.resume();
  }

  /** Connects to a machine that was just started: its monitor may not listen yet. */
  static async connect(socket: string): Promise<QemuKeyboard> {
    for (let attempt = 0; ; attempt += 1) {
      try {
        return new QemuKeyboard(await connected(socket));
      } catch (error) {
        if (attempt === 200) throw error;
        await wait(50);
      }
    }
  }

  /** Presses keys one after the other, each by QEMU's name: `ctrl-x`, `esc`, `ret`. */
  async press(...keys: readonly string[]): Promise<void> {
    for (const key of keys) {
      if (this.isOpen) this.#monitor.write(`sendkey ${key} 30\n`);
      // The machine's keyboard holds sixteen strokes at most.
      await wait(80);
    }
  }

  /** Types letters, digits and a few signs. */
  async type(text: string): Promise<void> {
    await this.press(...[...text].map(keyOf));
  }

  get isOpen(): boolean {
    return !this.#monitor.destroyed;
  }

  close(): void {
    this.#monitor.destroy();
  }
}

function keyOf(sign: string): string {
  return keyNames[sign] ?? (/[A-Z]/.test(sign) ? `shift-${sign.toLowerCase()}` : sign);
}

function connected(socket: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const monitor = connect(socket);
    monitor.once("connect", () => resolve(monitor));
    monitor.once("error", reject);
  });
}
