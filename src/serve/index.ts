/** Serving over HTTP: a directory, and what machines boot from the network, with the machines that check in. */
export type { BootFile, BootImage } from "./boot-image.ts";
export { embeddedScript } from "./boot-script.ts";
export { BootServer, type ServeEvent } from "./boot-server.ts";
export { createFileHandler, serveDirectory } from "./directory.ts";
export { dnsmasqArguments, findIpxe, type OwnAddress, ownAddresses } from "./network-boot.ts";
export { type RequestHandler, type Server, serve } from "./server.ts";
