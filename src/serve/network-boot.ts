/**
 * How machines of the network find the boot server: the addresses of this machine, and the dnsmasq that tells them.
 *
 * Sources: dnsmasq(8), "proxy" of --dhcp-range, --pxe-service, --dhcp-match; ipxe.org/howto/dhcpd (option 175 is iPXE's own).
 */
import { existsSync } from "node:fs";
import type { NetworkInterfaceInfo } from "node:os";
import path from "node:path";

/** An IPv4 address of this machine that others reach, and the network that it is in. */
export interface OwnAddress {
  readonly device: string;
  readonly address: string;
  /** `192.168.7.0`. */
  readonly network: string;
  readonly netmask: string;
}

/** `interfaces` as node:os gives them. Addresses of the loopback interface are none. */
export function ownAddresses(
  interfaces: Readonly<Record<string, readonly NetworkInterfaceInfo[] | undefined>>,
): readonly OwnAddress[] {
  return Object.entries(interfaces).flatMap(([device, addresses = []]) =>
    addresses.flatMap(({ family, internal, address, netmask }) =>
      family !== "IPv4" || internal
        ? []
        : [{ device, address, netmask, network: networkOf(address, netmask) }],
    ),
  );
}

function networkOf(address: string, netmask: string): string {
  const mask = netmask.split(".").map(Number);
  return address
    .split(".")
    .map((part, index) => Number(part) & (mask[index] ?? 0))
    .join(".");
}

/** Where distributions put iPXE for other machines; Debian's package is ipxe, Fedora's ipxe-bootimgs. */
const programDirectories = ["/usr/lib/ipxe", "/usr/share/ipxe", "/usr/lib/ipxe/x86_64"];

/** The directory with iPXE's programs for BIOS and UEFI (absolute); undefined where none is installed. */
export function findIpxe(): string | undefined {
  return programDirectories.find((directory) => existsSync(path.join(directory, "undionly.kpxe")));
}

/**
 * dnsmasq's arguments: it leaves addresses to the network's own DHCP server, gives iPXE by TFTP from `tftp` (absolute) to machines
 * that start from the network, and the URL of the script to iPXE. `url` has no slash at its end.
 */
export function dnsmasqArguments(own: OwnAddress, url: string, tftp: string): readonly string[] {
  const script = `${url}/boot.ipxe`;
  return [
    "--no-daemon",
    "--conf-file=/dev/null",
    "--port=0",
    `--interface=${own.device}`,
    "--bind-interfaces",
    `--dhcp-range=${own.network},proxy,${own.netmask}`,
    "--dhcp-match=set:ipxe,175",
    "--enable-tftp",
    `--tftp-root=${tftp}`,
    "--pxe-service=tag:!ipxe,x86PC,iPXE,undionly.kpxe",
    "--pxe-service=tag:!ipxe,x86-64_EFI,iPXE,ipxe.efi",
    "--pxe-service=tag:!ipxe,BC_EFI,iPXE,ipxe.efi",
    `--pxe-service=tag:ipxe,x86PC,image,${script}`,
    `--pxe-service=tag:ipxe,x86-64_EFI,image,${script}`,
    `--pxe-service=tag:ipxe,BC_EFI,image,${script}`,
    `--dhcp-boot=tag:ipxe,${script}`,
  ];
}
