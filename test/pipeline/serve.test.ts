/** The whole loop on one machine: a save, the boot server, a machine that boots from it by iPXE, checks in and is told to reboot. */
import { spawn } from "node:child_process";
import { rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { usesPrograms } from "../support/programs.ts";
import { bootQemu } from "../support/qemu.ts";
import { commandEnvironment, openWorkspace, version, type Workspace } from "./workspace.ts";

usesPrograms("ipxe-qemu");

/** An emulated machine on a busy host may take minutes. */
const patience = 400_000;
const edited = "overlay-src/etc/saved-while-serving";

interface Said {
  readonly type?: string;
  readonly page?: string;
  readonly url?: string;
  readonly what?: string;
  readonly id?: string;
  readonly command?: string;
  readonly variants?: readonly string[];
}

describe("task serve --watch --checkin", () => {
  let workspace: Workspace;

  beforeAll(async () => {
    workspace = await openWorkspace();
    await workspace.build(["iso", "--source", "sample", "--prod"]);
    await workspace.build(["iso", "--source", "sample"]);
  });
  afterAll(async () => await rm(workspace.path(edited), { force: true }));

  function startServing() {
    const words = ["serve", "-w", "--checkin", "--port", "0", "--json", "--source", "sample"];
    const child = spawn(process.execPath, [path.join(workspace.root, "bin/task.js"), ...words], {
      cwd: workspace.root,
      env: { ...commandEnvironment() },
      stdio: ["ignore", "pipe", "inherit"],
    });
    const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
    const said: Said[] = [];
    let wake = (): void => {};
    createInterface(child.stdout).on("line", (line) => {
      said.push(JSON.parse(line));
      wake();
    });
    void ended.then(() => wake());
    /** The first that `wanted` accepts, from what was not asked for yet. */
    const next = async (wanted: (one: Said) => boolean): Promise<Said> => {
      for (;;) {
        const index = said.findIndex(wanted);
        if (index >= 0) return said.splice(0, index + 1).at(-1) ?? {};
        if (child.exitCode !== null) throw new Error(`it ended with status ${child.exitCode}`);
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    };
    return { child, ended, next };
  }

  it(
    "boots a machine under BIOS, which registers; after a save and an order to reboot it boots with the edit; and one under UEFI",
    async () => {
      const { child, ended, next } = startServing();
      try {
        const { page = "", url = "" } = await next(({ type }) => type === "serving");
        const { variants } = await next(({ type }) => type === "published");
        // Other tests may have built the third in this workspace.
        expect(variants).toEqual(expect.arrayContaining(["dev", "prod"]));
        expect(await (await fetch(`${url}/boot.ipxe`)).text()).toContain("choose --default dev ");
        const bootUrl = `http://10.0.2.2:${new URL(url).port}/boot.ipxe`;

        const machine = bootQemu({ bootUrl }, { reachesHost: true, restarts: true });
        try {
          await next(
            ({ type, variants, what }) => type === "boot" && variants === undefined && what === undefined,
          );
          const { id } = await next(({ what }) => what === "registered");
          expect(id).toBe("525400123456");
          const listed = await fetch(page.replace("/?", "/machines.json?"));
          expect(await listed.json()).toMatchObject([
            { id, facts: { kernel: "Linux", mk_hw_nic_count: "1" } },
          ]);

          await writeFile(workspace.path(edited), "this is the edit\n");
          expect(await next(({ type }) => type === "published")).toMatchObject({ variants: ["dev"] });
          const order = new URL(page);
          order.pathname = `/machines/${id}/reboot`;
          expect((await fetch(order, { method: "POST", redirect: "manual" })).status).toBe(303);
          await next(({ what, command }) => what === "ordered" && command === "reboot");
          await next(({ type }) => type === "boot");
          await next(({ what }) => what === "registered");
          machine.send("");
          await machine.login("tc", "test1234", patience);
          expect((await machine.run("cat /etc/saved-while-serving", patience)).output).toBe(
            "this is the edit",
          );
        } finally {
          await machine.close();
        }

        const other = bootQemu(
          { bootUrl: `${bootUrl}?variant=prod` },
          { reachesHost: true, firmware: "uefi" },
        );
        try {
          await other.expect(`MK Loaded: v${version}`, patience);
          await next(({ what }) => what === "registered");
        } finally {
          await other.close();
        }
      } finally {
        child.kill("SIGINT");
      }
      expect(await ended).toBe(130);
    },
    4 * patience,
  );
});
