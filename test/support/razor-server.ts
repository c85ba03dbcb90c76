/**
 * A server of each kind that Microkernels check in with, strict: it refuses what the real one would, and says why.
 * Written from the servers' sources, not from the client: Razor 0.x, project_razor/slice/node.rb; razor-server 1.9, app.rb
 * (`post '/svc/checkin/:id'`); Hanlon 2, web_service/node/api_v1.rb.
 */
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";

export type RazorDialect = "razor" | "razor-server" | "hanlon";

/** A request that was accepted. */
export interface RazorEvent {
  readonly dialect: RazorDialect;
  readonly kind: "checkin" | "register";
  /** Hardware addresses as they were sent. */
  readonly hardware: readonly string[];
  readonly first: boolean;
  readonly facts: Readonly<Record<string, string>>;
}

interface Failure {
  readonly status: number;
  readonly reason: string;
}

type Answer = RazorEvent | Failure;

export class RazorServer {
  /** The order of the next check-in, in the dialect's own word; unregistered machines are told to register. */
  order = "acknowledge";
  /** Sent with each check-in's answer, where there is one. */
  clientConfig: Readonly<Record<string, unknown>> | undefined;
  /** Instead of all answers: what a broken server sends. */
  broken:
    | { readonly status: number; readonly body: string; readonly headers?: Readonly<Record<string, string>> }
    | undefined;
  readonly events: RazorEvent[] = [];
  readonly refusals: string[] = [];
  readonly #server: Server;
  readonly #known = new Set<string>();
  readonly #waiting = new Set<() => void>();

  constructor() {
    this.#server = createServer(async (request, response) => {
      const body = await readBody(request);
      if (this.broken !== undefined) {
        response.writeHead(this.broken.status, { ...this.broken.headers }).end(this.broken.body);
        return;
      }
      const answer = judge(request, body);
      if ("reason" in answer) this.refusals.push(`${request.method} ${request.url}: ${answer.reason}`);
      else this.events.push(answer);
      const [status, text] = this.#reply(answer);
      response.writeHead(status, { "Content-Type": "application/json" }).end(text);
      for (const wake of [...this.#waiting]) wake();
    });
  }

  /** Listens on an address of the loopback interface; resolves with the port. */
  async listen(port = 0, address: "127.0.0.1" | "::1" = "127.0.0.1"): Promise<number> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", reject).listen(port, address, resolve);
    });
    return (this.#server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** Resolves with the first event from `start` on that `wanted` accepts; rejects after `timeoutMs` or at a refusal. */
  async event(wanted: (event: RazorEvent) => boolean, start: number, timeoutMs: number): Promise<RazorEvent> {
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      const found = this.events.slice(start).find(wanted);
      if (found !== undefined) return found;
      const [refusal] = this.refusals;
      if (refusal !== undefined) throw new Error(`refused: ${refusal}`);
      const rest = deadline - performance.now();
      if (rest <= 0) throw new Error(`no such request; ${this.events.length} others`);
      await new Promise<void>((resolve) => {
        const wake = () => {
          clearTimeout(timer);
          this.#waiting.delete(wake);
          resolve();
        };
        const timer = setTimeout(wake, rest);
        this.#waiting.add(wake);
      });
    }
  }

  #reply(answer: Answer): readonly [status: number, text: string] {
    if ("reason" in answer) return [answer.status, JSON.stringify({ errcode: 1, error: answer.reason })];
    const { dialect, kind, hardware, first } = answer;
    if (dialect === "razor-server") {
      return [200, JSON.stringify({ action: this.order === "acknowledge" ? "none" : this.order })];
    }
    const id = `${dialect} ${hardware.join("_")}`;
    if (kind === "register") {
      this.#known.add(id);
      return [200, JSON.stringify({ errcode: 0, response: { "@uuid": id } })];
    }
    const command = first || !this.#known.has(id) ? "register" : this.order;
    const configuration = this.clientConfig === undefined ? {} : { client_config: this.clientConfig };
    return [
      200,
      JSON.stringify({
        errcode: 0,
        response: { command_name: command, command_param: {} },
        ...configuration,
      }),
    ];
  }
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString();
}

function judge(request: IncomingMessage, body: string): Answer {
  const url = new URL(request.url ?? "/", "http://razor");
  const route = `${request.method} ${url.pathname}`;
  const type = request.headers["content-type"];
  if (route === "GET /razor/api/node/checkin") return checkin("razor", url, "hw_id");
  if (route === "GET /hanlon/api/v1/node/checkin") return checkin("hanlon", url, "mac_id");
  if (route === "POST /razor/api/node/register") return razorRegistration(type, body);
  if (route === "POST /hanlon/api/v1/node/register") return hanlonRegistration(type, body);
  if (/^POST \/svc\/checkin\/\d+$/.test(route)) return razorServerCheckin(type, body);
  return { status: 404, reason: "no such resource" };
}

function checkin(dialect: RazorDialect, url: URL, field: string): Answer {
  const hardware = hardwareOf(url.searchParams.get(field), field);
  if ("reason" in hardware) return hardware;
  if (url.searchParams.get("last_state") !== "idle")
    return { status: 400, reason: "Must Provide Last State[last_state]" };
  const first = url.searchParams.get("first_checkin");
  if (first !== null && first !== "true") return { status: 400, reason: `first_checkin is ${first}` };
  return { dialect, kind: "checkin", hardware: hardware.ids, first: first === "true", facts: {} };
}

function razorRegistration(type: string | undefined, body: string): Answer {
  if (type !== "application/x-www-form-urlencoded") return { status: 400, reason: `content type ${type}` };
  const field = new URLSearchParams(body).get("json_hash");
  if (field === null) return { status: 400, reason: "no field json_hash" };
  const json = parseObject(field);
  const missing = ["@hw_id", "@attributes_hash", "@last_state"].filter((name) => !(name in json));
  if (missing.length > 0) return { status: 400, reason: `missing: ${missing.join(", ")}` };
  return registration("razor", json["@hw_id"], json["@attributes_hash"], json["@last_state"]);
}

function hanlonRegistration(type: string | undefined, body: string): Answer {
  if (type !== "application/json") return { status: 406, reason: `content type ${type}` };
  const json = parseObject(body);
  if ("hw_id" in json && "mac_id" in json) return { status: 400, reason: "hw_id together with mac_id" };
  return registration("hanlon", json.mac_id, json.attributes_hash, json.last_state);
}

function razorServerCheckin(type: string | undefined, body: string): Answer {
  if (type !== "application/json") return { status: 400, reason: `content type ${type}` };
  const json = parseObject(body);
  return registration("razor-server", json.hw_id, json.facts, "idle");
}

function registration(dialect: RazorDialect, id: unknown, attributes: unknown, state: unknown): Answer {
  const hardware = hardwareOf(id, "hardware id");
  if ("reason" in hardware) return hardware;
  if (state !== "idle") return { status: 400, reason: "Must Provide Last State[last_state]" };
  const facts = new Map<string, string>();
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (typeof value !== "string") return { status: 400, reason: `fact ${name} is no text` };
    if (/[!@#$%^&*()=+[\]{}]/.test(name)) return { status: 400, reason: `fact ${name} has a forbidden name` };
    facts.set(name, value);
  }
  if (facts.size === 0) return { status: 400, reason: "Must Provide Attributes Hash[attributes_hash]" };
  const kind = dialect === "razor-server" ? "checkin" : "register";
  return { dialect, kind, hardware: hardware.ids, first: false, facts: Object.fromEntries(facts) };
}

/** Razor compares hardware ids as texts with those that iPXE reported in upper case. */
function hardwareOf(id: unknown, field: string): { readonly ids: readonly string[] } | Failure {
  if (typeof id !== "string" || id === "")
    return { status: 400, reason: `Must Provide Hardware IDs[${field}]` };
  const ids = id.split("_");
  const wrong = ids.find((one) => !/^[0-9A-F]{12}$/.test(one));
  return wrong === undefined ? { ids } : { status: 400, reason: `${field} has ${wrong}` };
}

function parseObject(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}
