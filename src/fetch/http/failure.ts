/**
 * What a failed download says to the user. It decides nothing.
 */
import { messageOf, systemErrorCode, UserError } from "../../errors/index.ts";
import type { DownloadRequest } from "./download.ts";
import type { Answer } from "./exchange.ts";
import { type Environment, proxyFor, proxyVariables } from "./proxy.ts";
import type { TransientFailure } from "./retry.ts";
import { describeRoute, endOf, lastUrl, type Route } from "./route.ts";
import type { SettingNames } from "./setting-names.ts";

function networkHint({ otherSource }: SettingNames): string {
  const without = otherSource === undefined ? "" : `; to build without a mirror use ${otherSource}`;
  return `check the network; behind a proxy set ${proxyVariables}${without}`;
}

/** The error after the last of `attempts` tries failed, which had come as far as `route`. */
export function explainTransient(
  failure: TransientFailure,
  request: DownloadRequest,
  attempts: number,
  env: Environment,
  settings: SettingNames,
  route: Route = [new URL(request.url)],
): UserError {
  const proxy = proxyFor(lastUrl(route), env);
  const through = proxy === undefined ? "" : ` through the proxy ${proxy.url}`;
  const tries = attempts === 1 ? "1 try" : `${attempts} tries`;
  const hints: Readonly<Record<TransientFailure["code"], string>> = {
    unreachable: networkHint(settings),
    "cut-off": `${networkHint(settings)}; complete downloads are kept`,
    "too-slow":
      settings.leastRate === undefined
        ? "use another mirror"
        : `use another mirror, or lower the minimum rate with ${settings.leastRate} (0: any rate)`,
    "server-error": "try again later, or use another mirror: the server has a problem",
    "rate-limited": "try again later, or use another mirror: the server limits requests",
  };
  return new UserError(
    `cannot download ${request.name} from ${describeRoute(route)}${through}: ${failure.message} (${tries})`,
    {
      code: failure.code,
      where: request.where ?? endOf(route),
      hint: hints[failure.code],
      cause: failure.cause ?? failure,
    },
  );
}

/** The error for a status that another try would not change. */
export function explainStatus(
  { status, route, proxy }: Pick<Answer, "status" | "route" | "proxy">,
  request: DownloadRequest,
): UserError {
  const url = endOf(route);
  const meaning: Readonly<Record<number, string>> = {
    401: "user name and password are required",
    403: "access is forbidden",
    404: "not found",
    407: "the proxy requires a user name and password",
    410: "removed",
  };
  const reason = meaning[status];
  const missing = status === 404 || status === 410;
  const through = proxy === undefined ? "" : ` through the proxy ${proxy}`;
  return new UserError(
    `cannot download ${request.name}: ${describeRoute(route)} answered ${status}${through}${reason === undefined ? "" : ` (${reason})`}`,
    {
      code: missing ? "not-found" : "http-status",
      where: request.where ?? url,
      hint: missing ? "check the name, and whether the mirror has this release" : statusHint(status, proxy),
    },
  );
}

function statusHint(status: number, proxy: string | undefined): string {
  const isRefused = status === 401 || status === 403 || status === 407;
  if (isRefused && proxy !== undefined) {
    return `check the user name and password of the proxy (${proxyVariables}) and its rules`;
  }
  if (status === 401) return "add user name and password to the URL, or use another mirror";
  if (isRefused) return "check that you may use this mirror, or use another mirror";
  return "try again later, or use another mirror";
}

/** Anything else that a request can die of: an untrusted certificate, a proxy that refuses. */
export function explainOther(
  error: unknown,
  request: DownloadRequest,
  env: Environment,
  route: Route = [new URL(request.url)],
): unknown {
  if (error instanceof UserError) return error;
  const url = describeRoute(route);
  const place = { where: request.where ?? endOf(route), cause: error };
  const code = systemErrorCode(error) ?? "";
  if (/CERT|TLS|SSL|SELF_SIGNED|LEAF_SIGNATURE/.test(code)) {
    return new UserError(
      `cannot download ${request.name} from ${url}: no secure connection (${messageOf(error)})`,
      {
        ...place,
        code: "tls",
        hint: "if your own authority signed the certificate, name the authority's file in NODE_EXTRA_CA_CERTS",
      },
    );
  }
  const proxy = proxyFor(lastUrl(route), env);
  if (proxy !== undefined && /proxy/i.test(messageOf(error))) {
    return new UserError(
      `cannot download ${request.name}: the proxy ${proxy.url} refused (${messageOf(error)})`,
      { ...place, code: "proxy-refused", hint: `check ${proxyVariables}` },
    );
  }
  if (code.startsWith("UND_ERR")) {
    return new UserError(`cannot download ${request.name} from ${url}: ${messageOf(error)}`, {
      ...place,
      code: "download-failed",
      hint: "try again later, or use another mirror",
    });
  }
  return error;
}
