/** The menu as a whole screen: on a terminal that becomes narrower, and after Ctrl-Z and fg. */
import { afterEach, describe, expect, it } from "vitest";
import { TerminalWindow } from "./tmux.ts";
import { demo, program } from "./workshop.ts";

let window: TerminalWindow | undefined;
afterEach(() => window?.end());

function openMenu(shell: (command: string) => string = (command) => command): TerminalWindow {
  const root = demo();
  const opened = new TerminalWindow(shell(`'${process.execPath}' '${program}'`), {
    cwd: root,
    env: { HOME: root, TERM: "xterm" },
  });
  window = opened;
  return opened;
}

const times = (screen: string, pattern: RegExp): number => screen.match(pattern)?.length ?? 0;

describe("the menu", () => {
  it("is drawn once on a terminal that becomes narrower and wider again", async () => {
    const menu = openMenu();
    await menu.shows(/q or Esc quits/);
    for (const [columns, hint] of [
      [36, /select, Enter\n ?runs, q/],
      [25, /select, *\n ?Enter/],
      [80, /arrows or letters select, Enter runs, q or Esc quits/],
    ] as const) {
      menu.resize(columns);
      // Broken where the menu breaks it: the menu was drawn for the new width.
      await menu.shows(hint);
      menu.type("\u001b[B");
      await menu.shows(/› hello/);
      menu.type("\u001b[A");
      await menu.shows(/› greet/);
      const screen = await menu.visible();
      expect(
        [times(screen, /Demo/g), times(screen, /variant dev/g), times(screen, /- Say he/g)],
        screen,
      ).toEqual([1, 1, 1]);
    }
  });

  it("goes on after Ctrl-Z and fg, with arrows and Enter", async () => {
    const menu = openMenu((command) => `bash --norc -ic "set -m; ${command}; fg; echo left with \\$?"`);
    await menu.shows(/q or Esc quits/);
    menu.type("\u001a");
    await menu.shows(/q or Esc quits[\s\S]*q or Esc quits/);
    menu.type("\u001b[B");
    await menu.shows(/› hello[\s\S]*q or Esc quits$/);
    menu.type("\r");
    await menu.shows(/\$ task hello\nhello\nleft with 0/);
  });
});
