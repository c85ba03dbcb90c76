// The host's settings for reaching npm's registry and other servers, carried into a fresh machine: certificates, npm's
// configuration, variables.
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, realpathSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import path from "node:path";

/** Variables that name a file or a directory with certificates. */
const certificateVariables = [
  "NODE_EXTRA_CA_CERTS",
  "SSL_CERT_FILE",
  "SSL_CERT_DIR",
  "CURL_CA_BUNDLE",
  "GIT_SSL_CAINFO",
  "REQUESTS_CA_BUNDLE",
];
/** Settings of npm's own environment that are paths of the host, or say how this script was started. */
const ofTheHost =
  /_(cache|prefix|local_prefix|global_prefix|userconfig|globalconfig|init_module|node_gyp|nodedir|user_agent|npm_version|noproxy|argv)$/i;

/** The environment variables that are passed to commands in the machine. */
export function carriedEnvironment() {
  const names = ["CI", "LANG", "TERM", "SOURCE_DATE_EPOCH", ...certificateVariables];
  const entries = Object.entries(process.env).filter(
    ([name]) =>
      names.includes(name) ||
      /^(https?|ftp|no|all)_proxy$/i.test(name) ||
      /^RAZOR_MK_/.test(name) ||
      (/^npm_config_/i.test(name) && !ofTheHost.test(name)),
  );
  return Object.fromEntries(entries);
}

/**
 * Copies what is at a place of the host to the same place, or another one, of the machine. What was there is replaced, and
 * no symlink of the machine is followed: it would lead to the host's own files.
 * @param {string} root Absolute path of the machine's system.
 * @param {string} place Absolute path.
 * @param {string} [target] Absolute path in the machine.
 */
export function carryOver(root, place, target = place) {
  const copy = path.join(root, target);
  mkdirSync(path.dirname(copy), { recursive: true });
  if (realpathSync(path.dirname(copy)) !== path.dirname(copy)) return;
  rmSync(copy, { recursive: true, force: true });
  cpSync(realpathSync(place), copy, { recursive: true, dereference: true });
}

/**
 * Copies the certificates that variables and npm's configuration name to the same places in the machine.
 * @param {string} root Absolute path of the machine's system.
 */
export function copyCertificates(root) {
  const named = [npmSetting("cafile"), ...certificateVariables.map((name) => process.env[name])];
  const places = named.filter((place) => place !== undefined && path.isAbsolute(place) && existsSync(place));
  const directory = "/etc/ssl/certs";
  for (const place of new Set([directory, ...places]))
    if (place !== undefined && existsSync(place) && !place.startsWith(`${directory}/`))
      carryOver(root, place);
}

/**
 * Copies npm's configuration for all users, and that of this user for the homes given.
 * @param {string} root Absolute path of the machine's system.
 * @param {readonly string[]} homes Absolute paths in it.
 */
export function copyNpmSettings(root, homes) {
  const global = npmSetting("globalconfig");
  if (global !== undefined && existsSync(global)) carryOver(root, global, "/usr/local/etc/npmrc");
  const own = npmSetting("userconfig") ?? path.join(homedir(), ".npmrc");
  if (existsSync(own)) for (const home of homes) carryOver(root, own, path.join(home, ".npmrc"));
}

/** @param {string} name */
function npmSetting(name) {
  const { stdout } = spawnSync("npm", ["config", "get", name], { cwd: "/", encoding: "utf8" });
  const value = (stdout ?? "").trim();
  return ["", "null", "undefined"].includes(value) ? undefined : value;
}
