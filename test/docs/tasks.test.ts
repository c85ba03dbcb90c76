/** The examples of docs/tasks.md, as a reader would copy them into a new project. */
import { execFile } from "node:child_process";
import { readFileSync, statSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { openTerminal } from "../cli/terminal.ts";
import { checkout, demo, program, put, type Run, runTask } from "../cli/workshop.ts";

const page = readFileSync(path.join(checkout, "docs/tasks.md"), "utf8");

/** Each example: the module with its path, and the words of its command. */
const examples = [
  ...page.matchAll(/```ts\n(\/\/ (tasks\/\S+)\n[\s\S]*?)```\n\n```sh\nnpx task (.*)\n```/g),
].map(([, text = "", file = "", command = ""]) => ({ text, file, words: command.split(" ") }));

/** A project made by init that has all the examples, in a directory with a space in its name. */
async function projectWithAll(): Promise<string> {
  const root = demo();
  const made = await runTask(root, ["init", "my image"]);
  expect(made, made.stderr).toMatchObject({ status: 0 });
  const project = path.join(root, "my image");
  const names = examples.map(({ text, file }) => {
    put(project, file, text);
    const name = /export const (\w+) = (?:task|command)\(/.exec(text)?.[1] ?? "";
    return { name, file };
  });
  const imports = names.map(({ name, file }) => `import { ${name} } from "./${file}";\n`).join("");
  const taskfile = readFileSync(path.join(project, "Taskfile.ts"), "utf8");
  put(
    project,
    "Taskfile.ts",
    imports + taskfile.replace("packageList]", `packageList, ${names.map(({ name }) => name).join(", ")}]`),
  );
  put(project, "my.token", "s3cret\n");
  put(project, "lab.env", "SERVER=lab.example\n");
  return project;
}

function typeCheck(project: string): Promise<string> {
  const tsc = path.join(checkout, "node_modules/typescript/bin/tsc");
  return new Promise((resolve) => {
    execFile(process.execPath, [tsc, "--noEmit"], { cwd: project }, (_, stdout) => resolve(stdout));
  });
}

const read = (project: string, name: string): string => readFileSync(path.join(project, name), "utf8");

describe("the examples for authors of tasks", () => {
  it("are ten, type-check in a new project, and do what the page says", async () => {
    expect(examples.map(({ words }) => words[0])).toEqual([
      "motd",
      "motd-size",
      "docs-tarball",
      "banner",
      "token-file",
      "note",
      "image:settings",
      "reachable",
      "review",
      "show",
    ]);
    const project = await projectWithAll();
    expect(await typeCheck(project)).toBe("");

    const server = createServer((_, response) => response.end("here I am"));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    const runs = new Map<string, Run>();
    try {
      for (const { words } of examples) {
        if (words[0] === "review") continue;
        const done = await runTask(project, words, { SERVER_URL: address });
        expect(done, `${words[0]}: ${done.stderr}`).toMatchObject({ status: 0 });
        runs.set(words[0] ?? "", done);
      }
    } finally {
      server.close();
    }
    const made = (name: string) => read(project, `build-files/${name}`);
    expect(made("motd")).toMatch(/^Gems of this image:\n[\s\S]*FACTER/i);
    expect(made("motd.size")).toBe(`${made("motd").length}\n`);
    expect(made("etc.tar")).toContain("overlay-src/etc/");
    expect(made("banner.dev")).toBe("*****\nHELLO\nONE\nTWO\nTHREE\n*****\n");
    const token = ".buildcache/v1/out/dev/token-file/token";
    expect(read(project, token)).toBe("s3cret");
    expect(statSync(path.join(project, token)).mode & 0o777).toBe(0o600);
    expect(made("note")).toBe("built for the lab\n");
    expect(made("settings")).toBe("server: lab.example\n");
    expect(made("answer")).toBe("here I am");
    expect(runs.get("show")?.stdout).toBe(made("motd"));

    const terminal = openTerminal(`'${process.execPath}' '${program}' review`, { cwd: project, env: {} });
    try {
      await terminal.shows(/fine\? /);
      terminal.type("yes\r");
      await terminal.shows(/1 rebuilt/);
    } finally {
      terminal.end();
      await terminal.ended;
    }
    expect(made("reviewed")).toBe(read(project, "lists/gem.list"));
  });
});
