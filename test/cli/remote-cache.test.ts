/** Two workspaces that share results through a real server of the protocol, nginx with its DAV module. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { usesPrograms } from "../support/programs.ts";
import { demo, put, runTask } from "./workshop.ts";

usesPrograms("nginx");

let directory: string;
let nginx: ChildProcess;
let url: string;

/** A port of the loopback interface that nothing listens on. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return address === null || typeof address === "string" ? 0 : address.port;
}

/** The credentials of those who may write. */
const writer = `Authorization: Basic ${Buffer.from("ci:hunter2").toString("base64")}`;

beforeAll(async () => {
  directory = mkdtempSync(path.join(tmpdir(), "nginx-"));
  for (const name of ["data", "temporary"]) mkdirSync(path.join(directory, name));
  // {PLAIN} as of ngx_http_auth_basic_module.
  writeFileSync(path.join(directory, "writers"), "ci:{PLAIN}hunter2\n");
  const port = await freePort();
  url = `http://127.0.0.1:${port}`;
  // ngx_http_dav_module: a PUT is written to a temporary file and renamed.
  writeFileSync(
    path.join(directory, "nginx.conf"),
    `daemon off; worker_processes 1; pid ${directory}/pid; error_log ${directory}/error.log;
${process.getuid?.() === 0 ? "user root;" : ""}
events { worker_connections 64; }
http {
  access_log ${directory}/access.log combined;
  client_body_temp_path ${directory}/temporary; proxy_temp_path ${directory}/temporary;
  fastcgi_temp_path ${directory}/temporary; uwsgi_temp_path ${directory}/temporary; scgi_temp_path ${directory}/temporary;
  server {
    listen 127.0.0.1:${port};
    root ${directory}/data; client_max_body_size 0;
    location ~ "^/(ac|cas)/[0-9a-f]{64}$" {
      dav_methods PUT;
      create_full_put_path on;
      limit_except GET {
        auth_basic "writers";
        auth_basic_user_file ${directory}/writers;
      }
    }
  }
}
`,
  );
  nginx = spawn("/usr/sbin/nginx", ["-c", path.join(directory, "nginx.conf"), "-p", directory], {
    stdio: "ignore",
  });
  for (const deadline = Date.now() + 10_000; ; ) {
    const answer = await fetch(url).catch(() => undefined);
    if (answer !== undefined) break;
    if (Date.now() > deadline) throw new Error("nginx does not start");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
});

afterAll(async () => {
  const ended = new Promise((resolve) => nginx.once("close", resolve));
  nginx.kill("SIGTERM");
  await ended;
  rmSync(directory, { recursive: true, force: true });
});

beforeEach(() => {
  for (const area of ["ac", "cas"])
    rmSync(path.join(directory, "data", area), { recursive: true, force: true });
  writeFileSync(path.join(directory, "access.log"), "");
});

const stored = (area: "ac" | "cas"): readonly string[] => {
  try {
    return readdirSync(path.join(directory, "data", area));
  } catch {
    return [];
  }
};
const requests = (): string => readFileSync(path.join(directory, "access.log"), "utf8");
const reading = (): Readonly<Record<string, string>> => ({ RAZOR_MK_REMOTE_CACHE: url });
const writing = (): Readonly<Record<string, string>> => ({
  ...reading(),
  RAZOR_MK_REMOTE_UPLOAD: "1",
  RAZOR_MK_REMOTE_HEADER: writer,
});

describe("a remote cache", () => {
  it("restores results of another workspace, byte for byte, and reports how many", async () => {
    const first = demo();
    const made = await runTask(first, ["greet"], writing());
    expect(made).toMatchObject({ status: 0 });
    expect(made.stderr).toMatch(/remote cache: 0 results found, 2 not there, 2 stored; .* sent/);
    expect(stored("ac")).toHaveLength(2);

    const second = demo();
    const found = await runTask(second, ["greet"], reading());
    expect(found).toMatchObject({ status: 0 });
    expect(found.stderr).toContain("name: restored from the remote cache");
    expect(found.stderr).toMatch(/done: 2 restored in/);
    expect(found.stderr).toMatch(/remote cache: 2 results found, 0 not there; \d.* received/);
    expect(readFileSync(path.join(second, "build/dev.txt"))).toEqual(
      readFileSync(path.join(first, "build/dev.txt")),
    );
    // What was restored is a local result like any other.
    const why = await runTask(second, ["why", "greet"]);
    expect(why.stdout).toContain("fresh");
    put(second, "in/name", "Mars\n");
    expect((await runTask(second, ["greet"])).stderr).toContain("greet: rebuilt");
    expect(readFileSync(path.join(second, "build/dev.txt"), "utf8")).toBe("Hello Mars\n");
  });

  it("is asked for nothing where nothing has to be built, and in a dry run", async () => {
    const root = demo();
    await runTask(root, ["greet"], writing());
    writeFileSync(path.join(directory, "access.log"), "");
    expect(await runTask(root, ["greet"], reading())).toMatchObject({ status: 0 });
    put(root, "in/name", "Mars\n");
    expect((await runTask(root, ["greet", "-n"], reading())).stdout).toContain("greet");
    expect(requests()).toBe("");
  });

  it("is written to only where that is asked for", async () => {
    expect(await runTask(demo(), ["greet"], reading())).toMatchObject({ status: 0 });
    expect(requests()).not.toContain("PUT");
    const denied = await runTask(demo(), ["greet", "--remote-upload", "--remote-cache", url]);
    expect(denied).toMatchObject({ status: 0 });
    expect(denied.stderr).toMatch(
      /note: the remote cache at .* denies access \(status 401\): results are no longer uploaded/,
    );
    expect([...stored("ac"), ...stored("cas")]).toEqual([]);
  });

  it("is left alone with --no-remote-cache, with --force, and where tasks are audited", async () => {
    await runTask(demo(), ["greet"], writing());
    writeFileSync(path.join(directory, "access.log"), "");
    expect((await runTask(demo(), ["greet", "--no-remote-cache"], reading())).stderr).toContain("2 rebuilt");
    expect((await runTask(demo(), ["greet", "--force"], reading())).stderr).toContain("2 rebuilt");
    expect(requests()).toBe("");
  });

  it("neither gets nor is asked for what a secret went into", async () => {
    const root = demo();
    const { stderr } = await runTask(root, ["greet", "-t", "hunter2"], writing());
    expect(stderr).toMatch(/remote cache: 0 results found, 1 not there, 1 stored/);
    const contents = stored("cas").map((name) =>
      readFileSync(path.join(directory, "data/cas", name), "latin1"),
    );
    expect(contents.join()).not.toContain("hunter2");
    expect(stored("ac")).toHaveLength(1);
  });

  it("with results that others have spoilt costs a run of the tasks, and nothing else", async () => {
    await runTask(demo(), ["greet"], writing());
    for (const name of stored("ac")) writeFileSync(path.join(directory, "data/ac", name), "spoilt");
    const root = demo();
    expect(await runTask(root, ["greet"], reading())).toMatchObject({ status: 0 });
    expect(readFileSync(path.join(root, "build/dev.txt"), "utf8")).toBe("Hello World\n");
    rmSync(path.join(directory, "data/cas"), { recursive: true });
    await runTask(demo(), ["greet"], writing());
    for (const name of stored("cas")) writeFileSync(path.join(directory, "data/cas", name), "evil");
    const other = demo();
    expect(await runTask(other, ["greet"], reading())).toMatchObject({ status: 0 });
    expect(readFileSync(path.join(other, "build/dev.txt"), "utf8")).toBe("Hello World\n");
  });

  it("is told of in the events and in the summary", async () => {
    await runTask(demo(), ["greet"], writing());
    const root = demo();
    const { stdout } = await runTask(
      root,
      ["greet", "--json", "--summary", "sum.json", "--trace", "t"],
      reading(),
    );
    const events = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { readonly type: string });
    const traffic = { hits: 2, misses: 0, stored: 0, sent: 0, savedSeconds: expect.any(Number) };
    expect(events.find(({ type }) => type === "remote-cache")).toMatchObject(traffic);
    expect(events.find(({ type }) => type === "task-restored")).toMatchObject({ maker: expect.any(String) });
    expect(JSON.parse(readFileSync(path.join(root, "sum.json"), "utf8"))).toMatchObject({
      remoteCache: traffic,
    });
    const { traceEvents } = JSON.parse(readFileSync(path.join(root, "t"), "utf8")) as {
      readonly traceEvents: readonly { readonly cat?: string; readonly name: string }[];
    };
    const requestsOf = traceEvents.filter(({ cat }) => cat === "remote cache").map(({ name }) => name);
    expect(requestsOf).toEqual(expect.arrayContaining(["look-up name", "look-up greet"]));
    expect(requestsOf.filter((name) => name.startsWith("download "))).not.toEqual([]);
  });

  it("is counted over builds by `cache stats`, until the cache is emptied", async () => {
    await runTask(demo(), ["greet"], writing());
    const root = demo();
    const stats = async (): Promise<string> => (await runTask(root, ["cache", "stats"])).stdout;
    expect(await stats()).not.toContain("remote cache");
    await runTask(root, ["greet"], reading());
    await runTask(root, ["greet", "-g", "Hi"], reading());
    expect(await stats()).toMatch(/remote cache: 3 results found, 1 not there; .* received/);
    const { stdout } = await runTask(root, ["cache", "stats", "--json"]);
    expect(JSON.parse(stdout)).toMatchObject({ remoteCache: { hits: 3, misses: 1 } });
    await runTask(root, ["cache", "clear"]);
    expect(await stats()).not.toContain("remote cache");
  });
});

describe("why, beyond this machine", () => {
  const keyIn = (text: string): string => /^key of greet.*: ([0-9a-f]{64})/m.exec(text)?.[1] ?? "";

  it("shows the key, and whether the shared cache has the result", async () => {
    const root = demo();
    await runTask(root, ["greet"]);
    expect((await runTask(root, ["why", "greet"])).stdout).not.toContain("key of");
    const before = await runTask(root, ["why", "greet"], reading());
    expect(before.stdout).toMatch(/key of greet.*: [0-9a-f]{64}, not in the shared cache/);
    await runTask(demo(), ["greet"], writing());
    const { stdout } = await runTask(root, ["why", "greet"], reading());
    expect(stdout).toMatch(/key of greet.*: [0-9a-f]{64}, in the shared cache/);
    expect(stored("ac")).toContain(keyIn(stdout));
    const [, asked] = JSON.parse((await runTask(root, ["why", "greet", "--json"], reading())).stdout);
    expect(asked).toMatchObject({ key: keyIn(stdout), inSharedCache: true });
  });

  it("names what differs from a result of another machine", async () => {
    const theirs = demo();
    await runTask(theirs, ["greet"], writing());
    const key = keyIn((await runTask(theirs, ["why", "greet"], reading())).stdout);

    const root = demo();
    put(root, "in/name", "Mars\n");
    await runTask(root, ["greet", "-g", "Hi"]);
    const { stdout } = await runTask(root, ["why", "greet", "-g", "Hi", "--against", key], reading());
    expect(stdout).toContain("different in the other result:");
    expect(stdout).toContain('the option greeting: "Hi" here, "Hello" there');
    expect(stdout).toMatch(/the outputs of name: [0-9a-f]{12} here, [0-9a-f]{12} there/);
    // The URL of the result says where it is, too.
    const byUrl = await runTask(root, ["why", "greet", "-g", "Hi", "--against", `${url}/ac/${key}`]);
    expect(byUrl.stdout).toContain('the option greeting: "Hi" here, "Hello" there');
    const same = await runTask(theirs, ["why", "greet", "--against", key], reading());
    expect(same.stdout).toContain("nothing differs");
  });

  it("says what is wrong with a key", async () => {
    const root = demo();
    const against = async (text: string, env = reading()) => {
      const { status, stderr } = await runTask(root, ["why", "name", "--against", text], env);
      expect(status).not.toBe(0);
      return stderr;
    };
    expect(await against("f".repeat(64))).toContain(`has no result with the key ${"f".repeat(64)}`);
    expect(await against("f".repeat(63))).toContain("is neither a key nor the URL of one");
    expect(await against("f".repeat(64), {})).toContain("--against KEY needs a remote cache");
    const unbuilt = await runTask(root, ["why", "greet", "--against", "f".repeat(64)], reading());
    expect(unbuilt.stderr).toContain("build what it needs first");
  });
});

describe("the settings of a remote cache", () => {
  it("are checked before anything runs, and no message has the password", async () => {
    const root = demo();
    for (const [words, env, message] of [
      [["--remote-cache", "ftp://eve:hunter2@host/"], {}, "--remote-cache is not the http or https URL"],
      [["--remote-cache", "http://eve:hunter2@host/?x"], {}, "--remote-cache is not the http or https URL"],
      [[], { RAZOR_MK_REMOTE_CACHE: "cache" }, "RAZOR_MK_REMOTE_CACHE is not the http or https URL"],
      [["--remote-upload"], {}, "--remote-upload needs a remote cache"],
      [[], { ...reading(), RAZOR_MK_REMOTE_UPLOAD: "maybe" }, 'RAZOR_MK_REMOTE_UPLOAD is "maybe"'],
      [[], { ...reading(), RAZOR_MK_REMOTE_HEADER: "hunter2" }, "the header of the remote cache"],
      [["--remote-upload-wait", "soon"], reading(), '--remote-upload-wait is "soon"'],
    ] as const) {
      const { status, stderr } = await runTask(root, ["greet", ...words], env);
      expect({ status, stderr }).toEqual({ status: 2, stderr: expect.stringContaining(message) });
      expect(stderr).toContain("[remote-cache-invalid]");
      expect(stderr).not.toContain("hunter2");
    }
  });

  it("may have credentials in the URL, which are sent and never shown", async () => {
    const withPassword = url.replace("http://", "http://ci:hunter2@");
    const { status, stderr } = await runTask(demo(), [
      "greet",
      "--remote-cache",
      withPassword,
      "--remote-upload",
    ]);
    expect(status).toBe(0);
    expect(stored("ac")).toHaveLength(2);
    expect(stderr).not.toContain("hunter2");
  });

  it("may have credentials in .netrc", async () => {
    const root = demo();
    put(root, "netrc", "machine 127.0.0.1 login ci password hunter2\n");
    const env = { ...reading(), RAZOR_MK_REMOTE_UPLOAD: "1", NETRC: path.join(root, "netrc") };
    const { status, stderr } = await runTask(root, ["greet"], env);
    expect({ status, stderr }).toEqual({ status: 0, stderr: expect.not.stringContaining("denies access") });
    expect(stored("ac")).toHaveLength(2);
  });

  it("are tried by doctor, for writing too where results are uploaded", async () => {
    const root = demo();
    const line = async (env: Readonly<Record<string, string>>): Promise<string> =>
      (await runTask(root, ["doctor", "greet"], env)).stdout
        .split("\n")
        .find((one) => one.includes("remote cache")) ?? "";
    expect(await line(reading())).toContain(`${url}, for reading`);
    expect(await line(writing())).toContain(`${url}, for reading and writing`);
    expect(await line({ ...reading(), RAZOR_MK_REMOTE_UPLOAD: "1" })).toContain("denies access (status 401)");
    expect(await line({ RAZOR_MK_REMOTE_CACHE: "http://127.0.0.1:1" })).toContain("ECONNREFUSED");
    expect(await line({})).toBe("");
  });

  it("may stand in the Taskfile, and are not handed to the tasks' commands", async () => {
    const root = demo();
    const taskfile = readFileSync(path.join(root, "Taskfile.ts"), "utf8");
    put(
      root,
      "Taskfile.ts",
      taskfile.replace("variantEnv:", `cache: { remote: { url: "${url}", upload: true } },\n  variantEnv:`),
    );
    put(root, "in/script", "env\n");
    const { status, stderr } = await runTask(root, ["greet", "-v"], { RAZOR_MK_REMOTE_HEADER: writer });
    expect(status).toBe(0);
    expect(stored("ac")).toHaveLength(2);
    expect(stderr).toContain("HOME=");
    expect(stderr).not.toContain("REMOTE_HEADER");
  });
});
