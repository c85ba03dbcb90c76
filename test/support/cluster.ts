/**
 * A Slurm cluster of one node on this machine, with files and ports of its own: munged(8), slurmctld(8), slurmd(8), slurm.conf(5).
 */
import { execFileSync, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { hostname, tmpdir } from "node:os";
import path from "node:path";
import { usesPrograms } from "./programs.ts";

usesPrograms("munged", "scancel", "slurmctld", "slurmd", "srun");

/** Daemons are in directories that not every user's PATH has. */
const PATH = `${process.env.PATH}:/usr/sbin:/sbin`;

export class Cluster {
  readonly #directory: string;
  readonly #node = hostname().split(".")[0] ?? "localhost";

  private constructor(directory: string) {
    this.#directory = directory;
  }

  static async start(): Promise<Cluster> {
    const cluster = new Cluster(mkdtempSync(path.join(tmpdir(), "slurm-")));
    await cluster.#start();
    return cluster;
  }

  /** Variables of the environment that jobs are submitted from. */
  get env(): Readonly<Record<string, string>> {
    return { SLURM_CONF: path.join(this.#directory, "slurm.conf") };
  }

  get node(): string {
    return this.#node;
  }

  /** The PATH that jobs have on the node, instead of that of the machine that submits them: what a task prolog prints is set. */
  setPath(text: string | undefined): void {
    const line = text === undefined ? "" : `export PATH=${text}\n`;
    writeFileSync(path.join(this.#directory, "environment"), line);
  }

  /** Runs one of Slurm's commands and returns what it prints. */
  command(program: string, ...words: readonly string[]): string {
    return execFileSync(program, words, {
      encoding: "utf8",
      env: { ...process.env, ...this.env, PATH },
      timeout: 20_000,
    });
  }

  /** The ids of all jobs that wait or run. */
  jobs(): readonly string[] {
    return this.command("squeue", "--noheader", "--format=%i")
      .split("\n")
      .filter((line) => line !== "");
  }

  /** The process of one of the daemons. */
  processOf(daemon: "munged" | "slurmctld" | "slurmd"): number {
    return Number(readFileSync(path.join(this.#directory, `${daemon}.pid`), "utf8"));
  }

  /** Starts the node's daemon again, after it was killed. */
  async startNode(): Promise<void> {
    this.command("slurmd");
    await this.#wait();
  }

  /** Ends all jobs and daemons. */
  async stop(): Promise<void> {
    spawnSync("scancel", ["--user=root", "--signal=KILL"], { env: { ...process.env, ...this.env, PATH } });
    for (const daemon of ["slurmd", "slurmctld", "munged"] as const) {
      try {
        const pid = this.processOf(daemon);
        process.kill(pid, "SIGTERM");
        for (const deadline = Date.now() + 5000; isAlive(pid) && Date.now() < deadline; ) await pause(50);
        if (isAlive(pid)) process.kill(pid, "SIGKILL");
      } catch {
        // It is not running.
      }
    }
    rmSync(this.#directory, { recursive: true, force: true });
  }

  async #start(): Promise<void> {
    const at = (name: string): string => path.join(this.#directory, name);
    for (const name of ["state", "spool"]) mkdirSync(at(name));
    chmodSync(this.#directory, 0o755);
    writeFileSync(at("munge.key"), randomBytes(64), { mode: 0o400 });
    writeFileSync(at("prolog"), `#!/bin/sh\ncat '${at("environment")}'\n`, { mode: 0o755 });
    this.setPath(undefined);
    const [controller, node] = [await freePort(), await freePort()];
    writeFileSync(
      at("slurm.conf"),
      `ClusterName=test
SlurmctldHost=${this.#node}(127.0.0.1)
SlurmctldPort=${controller}
SlurmdPort=${node}
AuthType=auth/munge
AuthInfo=socket=${at("munge.sock")}
CredType=cred/munge
SlurmUser=root
SlurmdUser=root
StateSaveLocation=${at("state")}
SlurmdSpoolDir=${at("spool")}
SlurmctldPidFile=${at("slurmctld.pid")}
SlurmdPidFile=${at("slurmd.pid")}
SlurmctldLogFile=${at("slurmctld.log")}
SlurmdLogFile=${at("slurmd.log")}
ProctrackType=proctrack/pgid
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
SwitchType=switch/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SlurmdParameters=config_overrides
TaskProlog=${at("prolog")}
SchedulerParameters=sched_min_interval=1000,batch_sched_delay=0
ReturnToService=2
KillWait=20
NodeName=${this.#node} NodeAddr=127.0.0.1 CPUs=4 State=UNKNOWN
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP
`,
    );
    const munge = [
      "key-file=munge.key",
      "socket=munge.sock",
      "pid-file=munged.pid",
      "log-file=munged.log",
      "seed-file=munged.seed",
    ];
    this.command(
      "munged",
      "--force",
      ...munge.map((option) => `--${option.replace("=", `=${this.#directory}/`)}`),
    );
    this.command("slurmctld", "-c");
    this.command("slurmd", "-c");
    await this.#wait();
  }

  /** Until a job can run. */
  async #wait(): Promise<void> {
    for (const deadline = Date.now() + 30_000; Date.now() < deadline; await pause(100)) {
      try {
        if (/^(idle|mix|alloc)/.test(this.command("sinfo", "--noheader", "--format=%t"))) return;
      } catch {
        // The controller does not answer yet.
      }
    }
    throw new Error("the cluster does not start");
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return address === null || typeof address === "string" ? 0 : address.port;
}
