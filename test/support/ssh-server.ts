/** A real sshd on loopback with keys of its own, and a directory for PATH whose `ssh` knows it as `there` (sshd_config(5), ssh_config(5)). */
import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir, userInfo } from "node:os";
import path from "node:path";
import { usesPrograms } from "./programs.ts";

usesPrograms("sshd", "ssh", "ssh-keygen");

export interface SshServer {
  /** For the variable PATH of who connects. */
  readonly path: string;
  /** Shell lines that run on the server before the program of this name does. */
  readonly before: (program: string, lines: string) => void;
  /** Lines that end the connection that they run in. */
  readonly breakConnection: string;
  readonly close: () => void;
}

export async function startSshServer(): Promise<SshServer> {
  const root = mkdtempSync(path.join(tmpdir(), "ssh-server-"));
  const at = (name: string): string => path.join(root, name);
  for (const name of ["client", "server"]) mkdirSync(at(name));
  for (const name of ["host_key", "user_key"])
    execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", at(name)]);
  execFileSync("cp", [at("user_key.pub"), at("authorized")]);
  const port = await freePort();
  const isRoot = process.getuid?.() === 0;
  // sshd(8): as root it wants this empty directory, which a system that starts it at boot has made.
  if (isRoot) mkdirSync("/run/sshd", { recursive: true, mode: 0o755 });
  writeFileSync(
    at("sshd_config"),
    [
      ...[`Port ${port}`, "ListenAddress 127.0.0.1", `HostKey ${at("host_key")}`, "PidFile none"],
      ...[`AuthorizedKeysFile ${at("authorized")}`, "StrictModes no", "PasswordAuthentication no"],
      ...["PermitRootLogin prohibit-password", "UsePAM no", "LogLevel ERROR"],
      `SetEnv PATH=${at("server")}:/usr/local/bin:/usr/bin:/bin`,
      "",
    ].join("\n"),
  );
  const hostKey = execFileSync("cat", [at("host_key.pub")], { encoding: "utf8" });
  writeFileSync(at("known"), `[127.0.0.1]:${port} ${hostKey}`);
  writeFileSync(
    at("ssh_config"),
    [
      ...["Host there", "HostName 127.0.0.1", `Port ${port}`, `User ${userInfo().username}`],
      ...[`IdentityFile ${at("user_key")}`, "IdentitiesOnly yes", `UserKnownHostsFile ${at("known")}`],
      ...["StrictHostKeyChecking yes", "BatchMode yes", "ConnectTimeout 20", ""],
    ].join("\n"),
  );
  const wrapper = `#!/bin/sh\nexec ${which("ssh")} -F '${at("ssh_config")}' "$@"\n`;
  writeFileSync(at("client/ssh"), wrapper, { mode: 0o755 });
  // sshd starts itself again for each connection, so it wants its absolute path.
  const child = spawn(which("sshd"), ["-D", "-e", "-f", at("sshd_config")], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  let said = "";
  child.stderr.on("data", (chunk) => (said += chunk));
  for (let tries = 0; ; tries += 1) {
    const isUp = await new Promise<boolean>((resolve) => {
      const probe = spawn(at("client/ssh"), ["there", "true"], { stdio: "ignore" });
      probe.once("close", (status) => resolve(status === 0));
    });
    if (isUp) break;
    if (tries === 50 || child.exitCode !== null) throw new Error(`sshd does not answer: ${said}`);
  }
  return {
    path: `${at("client")}:${process.env.PATH}`,
    before: (name, lines) =>
      writeFileSync(at(`server/${name}`), `#!/bin/sh\n${lines}\nexec ${which(name)} "$@"\n`, { mode: 0o755 }),
    breakConnection: [
      "p=$PPID",
      `while [ "$(cat /proc/$p/comm)" != sshd ]; do p=$(sed -n 's/^PPid:[[:space:]]*//p' /proc/$p/status); done`,
      "kill -9 $p",
    ].join("\n"),
    close: () => {
      child.kill();
      rmSync(root, { recursive: true, force: true });
    },
  };
}

function which(program: string): string {
  return execFileSync("sh", ["-c", `command -v ${program}`], {
    env: { PATH: `${process.env.PATH}:/usr/sbin` },
    encoding: "utf8",
  }).trim();
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}
