/** The variable `no_proxy`: which hosts are reached without a proxy. */
import { BlockList, isIP } from "node:net";

/**
 * Whether `noProxy` names the host of `url`. As in curl (its manual, `--noproxy`): entries are separated by commas or blanks; a name
 * stands for its subdomains too, with or without a leading dot; an address may be a network in CIDR notation
 * (`10.0.0.0/8`, `fd00::/8`); a single `*` is every host. As other programs allow: `*.` before a name, an IPv6 address in
 * brackets, and a port behind any of them.
 */
export function isExempt(url: URL, noProxy: string): boolean {
  if (noProxy.trim() === "*") return true;
  const host = url.hostname.toLowerCase().replace(/^\[|\]$/g, "");
  const port = url.port !== "" ? url.port : url.protocol === "https:" ? "443" : "80";
  return noProxy.split(/[,\s]+/).some((text) => {
    if (text === "") return false;
    const entry = parseEntry(text.toLowerCase());
    if (entry.port !== undefined && entry.port !== port) return false;
    return isIP(host) === 0 ? isWithinName(host, entry.host) : isWithinNetwork(host, entry);
  });
}

interface Entry {
  /** A name or an address, without brackets. */
  readonly host: string;
  /** Bits of the network, as they were written. */
  readonly bits: string | undefined;
  readonly port: string | undefined;
}

function parseEntry(text: string): Entry {
  // An IPv6 address has colons of its own, so that a port can only follow behind brackets.
  const bracketed = /^\[([^\]]*)\](?:\/(\d{1,3}))?(?::(\d+))?$/.exec(text);
  const plain = /^([^/]*?)(?:\/(\d{1,3}))?(?::(\d+))?$/.exec(text);
  const address = /^([^/]*)(?:\/(\d{1,3}))?$/.exec(text);
  const match = isIP(address?.[1] ?? "") === 6 ? address : (bracketed ?? plain);
  return { host: match?.[1] ?? text, bits: match?.[2], port: match?.[3] };
}

function isWithinName(host: string, entry: string): boolean {
  const name = entry.replace(/^\*?\./, "").replace(/\.$/, "");
  const wanted = host.replace(/\.$/, "");
  return name !== "" && (wanted === name || wanted.endsWith(`.${name}`));
}

function isWithinNetwork(host: string, { host: network, bits }: Entry): boolean {
  const version = isIP(network);
  if (version === 0 || version !== isIP(host)) return false;
  const longest = version === 6 ? 128 : 32;
  const length = bits === undefined ? longest : Number(bits);
  if (length > longest) return false;
  const family = version === 6 ? "ipv6" : "ipv4";
  const list = new BlockList();
  list.addSubnet(network, length, family);
  return list.check(host, family);
}
