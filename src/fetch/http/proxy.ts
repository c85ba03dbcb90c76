/**
 * Which proxy a URL goes through, from `http_proxy`, `https_proxy` and `no_proxy` in either case. It opens
 * nothing and reads no environment but the one passed in.
 */
import { UserError } from "../../errors/index.ts";
import { authorizationOf, publicUrl } from "./location.ts";
import { isExempt } from "./no-proxy.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

export interface ProxyServer {
  /** The proxy's URL, without credentials. */
  readonly url: string;
  /** The `Proxy-Authorization` header, when the variable held credentials. */
  readonly authorization: string | undefined;
}

/** The names of the variables that are read, for messages. */
export const proxyVariables = "http_proxy, https_proxy and no_proxy";

/**
 * The proxy for `url`, or undefined for a direct connection. As undici's EnvHttpProxyAgent has it: lower case
 * wins over upper case, and https falls back to the http proxy.
 */
export function proxyFor(url: URL, env: Environment): ProxyServer | undefined {
  if (isExempt(url, variable(env, "no_proxy")?.value ?? "")) return undefined;
  const http = variable(env, "http_proxy");
  const chosen = url.protocol === "https:" ? (variable(env, "https_proxy") ?? http) : http;
  return chosen === undefined ? undefined : parseProxy(chosen.name, chosen.value);
}

function variable(env: Environment, name: string): { name: string; value: string } | undefined {
  for (const candidate of [name, name.toUpperCase()]) {
    const value = env[candidate]?.trim();
    if (value !== undefined && value !== "") return { name: candidate, value };
  }
  return undefined;
}

function parseProxy(name: string, value: string): ProxyServer {
  const text = /^[a-z][a-z0-9+.-]*:\/\//i.test(value) ? value : `http://${value}`;
  let url: URL;
  try {
    url = new URL(text);
  } catch (error) {
    throw new UserError(`${name} is not a valid URL: "${publicUrl(text)}"`, {
      code: "bad-proxy",
      where: name,
      hint: "write it as http://host:port",
      cause: error,
    });
  }
  if (url.protocol !== "http:" && url.protocol !== "https:") {
    throw new UserError(`${name} has an unsupported scheme: "${publicUrl(text)}"`, {
      code: "bad-proxy",
      where: name,
      hint: "use an http or https proxy",
    });
  }
  return { url: url.origin, authorization: authorizationOf(url) };
}
