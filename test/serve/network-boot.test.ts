/** What machines of a network are told; dnsmasq itself judges its command line. */
import { spawnSync } from "node:child_process";
import { expect, it } from "vitest";
import { dnsmasqArguments, embeddedScript, ownAddresses } from "../../src/serve/index.ts";
import { usesPrograms } from "../support/programs.ts";

usesPrograms("dnsmasq");

const own = {
  device: "eth0",
  address: "192.168.7.130",
  network: "192.168.7.128",
  netmask: "255.255.255.128",
};

it("this machine has the IPv4 addresses that others reach", () => {
  const base = { mac: "00:00:00:00:00:00", cidr: null, internal: false } as const;
  const found = ownAddresses({
    lo: [{ ...base, family: "IPv4", address: "127.0.0.1", netmask: "255.0.0.0", internal: true }],
    eth0: [
      { ...base, family: "IPv6", address: "fe80::1", netmask: "ffff:ffff:ffff:ffff::", scopeid: 2 },
      { ...base, family: "IPv4", address: "192.168.7.130", netmask: "255.255.255.128" },
    ],
    tun0: undefined,
  });
  expect(found).toEqual([own]);
});

it("dnsmasq understands its command line, and leaves addresses and names to others", () => {
  const args = dnsmasqArguments(own, "http://192.168.7.130:8080", "/tmp");
  const { stderr, status } = spawnSync("dnsmasq", ["--test", ...args], { encoding: "utf8" });
  expect([stderr, status]).toEqual(["dnsmasq: syntax check OK.\n", 0]);
  expect(args).toContain("--port=0");
  expect(args).toContain("--dhcp-range=192.168.7.128,proxy,255.255.255.128");
  expect(args).toContain("--dhcp-boot=tag:ipxe,http://192.168.7.130:8080/boot.ipxe");
});

it("iPXE that has a script built in asks for an address, and then for the server's script", () => {
  expect(embeddedScript("http://192.168.7.130:8080")).toBe(
    "#!ipxe\ndhcp\nchain http://192.168.7.130:8080/boot.ipxe\n",
  );
});
