/**
 * A Razor server in small: it lets Microkernels check in and register, and knows no policies or models.
 *
 * Source: Razor until 2013, project_razor/slice/node.rb (`checkin`, `register`).
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Machines } from "./machines.ts";

/** What is told of a machine that did something. */
export interface MachineEvent {
  readonly what: "checked in" | "registered" | "ordered";
  readonly id: string;
  readonly address: string;
  readonly command: string;
}

/** What Microkernels are configured with, in seconds: an order is given by somebody who waits for it, and given once. */
const clientConfig = { mk_checkin_interval: 10, mk_reboot_interval: 0 } as const;
/** Bytes of a registration. */
const largestBody = 1024 * 1024;

const base = "/razor/api/node/";

/** Whether a request is a Microkernel's. */
export function isRazorPath(path: string): boolean {
  return path.startsWith(base);
}

/** Answers a Microkernel. */
export async function answerRazor(
  request: IncomingMessage,
  response: ServerResponse,
  machines: Machines,
  onEvent: (event: MachineEvent) => void,
): Promise<void> {
  const url = new URL(request.url ?? "/", "http://server");
  const address = request.socket.remoteAddress ?? "";
  const word = url.pathname.slice(base.length);
  const refuse = (status: number, reason: string): void =>
    send(response, status, { errcode: 1, error: reason });
  if (word === "checkin") {
    if (request.method !== "GET") return refuse(405, "a check-in is a GET");
    const id = hardwareId(url.searchParams.get("hw_id"));
    if (id === undefined) return refuse(400, "Must Provide Hardware IDs[hw_id]");
    const isFirst = url.searchParams.get("first_checkin") === "true";
    const order = machines.checkIn(id, address);
    const command = order ?? (isFirst || !machines.isRegistered(id) ? "register" : "acknowledge");
    onEvent({ what: order === undefined ? "checked in" : "ordered", id, address, command });
    return send(response, 200, {
      ...{ resource: "ProjectRazor::Slice::Node", command: "checkin", result: "Ok", errcode: 0 },
      response: { command_name: command, command_param: {} },
      client_config: clientConfig,
    });
  }
  if (word === "register") {
    if (request.method !== "POST") return refuse(405, "a registration is a POST");
    const body = await readBody(request);
    if (body === undefined) return refuse(413, `a registration has at most ${largestBody} bytes`);
    const registration = parseRegistration(body);
    if (typeof registration === "string") return refuse(400, registration);
    machines.register(registration.id, address, registration.facts);
    onEvent({ what: "registered", id: registration.id, address, command: "register" });
    return send(response, 200, {
      ...{ resource: "ProjectRazor::Slice::Node", command: "register", result: "Ok", errcode: 0 },
      response: { "@uuid": registration.id },
    });
  }
  refuse(404, "only checkin and register are known");
}

/** Upper case, as iPXE reports it; undefined for anything but addresses of cards. */
function hardwareId(text: unknown): string | undefined {
  if (typeof text !== "string" || !/^[0-9a-f]{12}(?:_[0-9a-f]{12}){0,31}$/i.test(text)) return undefined;
  return text.toUpperCase();
}

/** The form field `json_hash`; a text that says what is wrong with it. */
function parseRegistration(
  body: string,
): string | { readonly id: string; readonly facts: Readonly<Record<string, string>> } {
  const field = new URLSearchParams(body).get("json_hash");
  if (field === null) return "no field json_hash";
  let fields: unknown;
  try {
    fields = JSON.parse(field);
  } catch {
    return "json_hash is no JSON";
  }
  if (typeof fields !== "object" || fields === null) return "json_hash is no object";
  const { "@hw_id": hardware, "@attributes_hash": attributes } = fields as Readonly<Record<string, unknown>>;
  const id = hardwareId(hardware);
  if (id === undefined) return "Must Provide Hardware IDs[hw_id]";
  if (typeof attributes !== "object" || attributes === null || Array.isArray(attributes))
    return "Must Provide Attributes Hash[attributes_hash]";
  const facts = Object.entries(attributes).map(([name, value]) => [name, String(value)]);
  return { id, facts: Object.fromEntries(facts) };
}

/** Undefined where it is too long. */
async function readBody(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  // Otherwise the connection would end before the answer.
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    const bytes = Buffer.from(chunk);
    size += bytes.length;
    if (size > largestBody) return undefined;
    chunks.push(bytes);
  }
  return Buffer.concat(chunks).toString();
}

function send(response: ServerResponse, status: number, value: unknown): void {
  const text = JSON.stringify(value);
  response.writeHead(status, {
    "content-type": "application/json",
    "content-length": Buffer.byteLength(text),
    ...(status === 413 ? { connection: "close" } : {}),
  });
  response.end(text);
}
