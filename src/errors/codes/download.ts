import type { ErrorArea } from "./explanation.ts";

/** Downloads, mirrors, proxies and the lock. */
export const downloadErrors = {
  "bad-location": {
    meaning: "A URL or path is not valid, or has a query or fragment where file names are appended.",
    remedy: "Write `http://…`, `https://…`, `file:///…` or a path, with special characters percent-encoded.",
  },
  "bad-lock": {
    meaning: "The lock file cannot be read.",
    remedy: "Restore it from version control, or delete it to pin everything again.",
  },
  "bad-name": {
    meaning: "The name of an artifact cannot be used as a file name.",
    remedy: "Correct the name in the list or on the mirror.",
  },
  "bad-proxy": {
    meaning: "A proxy variable does not hold the URL of an HTTP or HTTPS proxy.",
    remedy: "Write it as `http://host:port`.",
  },
  "body-too-long": {
    meaning: "The server sent more bytes than it had announced.",
    remedy: "Use another mirror. The mirror or a proxy is broken.",
  },
  "cannot-read": {
    meaning: "A file of a local source cannot be read.",
    remedy: "Make the file readable for your user.",
  },
  "cannot-write": {
    meaning: "A download or the lock file cannot be written.",
    remedy: "Make the file and its directory writable for your user.",
  },
  "captive-portal": {
    meaning: "A web page arrived in place of the file: the answer of a captive portal, or an error page.",
    remedy: "Open the URL in a browser. A network login or a proxy may answer in place of the mirror.",
  },
  "cut-off": {
    meaning: "The connection broke before the whole file had arrived, even after retries.",
    remedy: "Check the network and run the build again. Complete downloads are kept.",
  },
  "disk-full": {
    meaning: "The disk is full, so a download could not be written.",
    remedy: "Free disk space and run the build again. Complete downloads are kept.",
  },
  "download-failed": {
    meaning: "The download failed for another reason, which the message states.",
    remedy: "Try again later, or use another mirror.",
  },
  "download-limit": {
    meaning: "A download setting is not a number in its range.",
    remedy: "Write a number in the range that the message states, or omit the option.",
  },
  frozen: {
    meaning: "The lock is frozen (`--frozen`, or `CI` is set), but an artifact is not in it.",
    remedy: "Run once without `--frozen` and without `CI` set, and commit the lock.",
  },
  "http-status": {
    meaning: "The server refused the request with the status {status}.",
    remedy: "Check the credentials in the URL or of the proxy, or use another mirror.",
  },
  "lock-mismatch": {
    meaning: "The file is not the one that the lock pins: its SHA-256 differs.",
    remedy: "If the change is expected, run `npx task update {name}`. Otherwise use another mirror.",
  },
  "md5-mismatch": {
    meaning: "The MD5 of the downloaded file is not the one that upstream publishes.",
    remedy: "Try again later, or use another mirror. The file is damaged, or the mirror is being updated.",
  },
  "not-found": {
    meaning: "The file does not exist on the mirror or in the local source.",
    remedy: "Check the name, and that the source has this release.",
  },
  offline: {
    meaning: "`--offline` is given, but a file has not been downloaded yet.",
    remedy: "Run once without `--offline`.",
  },
  "proxy-refused": {
    meaning: "The proxy refuses the connection.",
    remedy: "Check the proxy variables and the proxy's rules.",
  },
  "rate-limited": {
    meaning: "The server limits the number of requests (status 429).",
    remedy: "Try again later, or use another mirror.",
  },
  "redirect-refused": {
    meaning: "The server redirects to an address that is not allowed, such as from https to http.",
    remedy: "Use the final address of the mirror, or another mirror.",
  },
  "server-error": {
    meaning: "The server failed to answer (status 408 or 5xx), even after retries.",
    remedy: "Try again later, or use another mirror.",
  },
  "sha256-mismatch": {
    meaning: "The SHA-256 of the downloaded file is not the one that upstream publishes.",
    remedy: "Try again later, or use another mirror. The file is damaged, or the mirror is being updated.",
  },
  "size-mismatch": {
    meaning: "The size of the downloaded file is not the one that upstream publishes.",
    remedy: "Try again later, or use another mirror. The file is damaged, or the mirror is being updated.",
  },
  tls: {
    meaning: "No secure connection can be made, mostly because the certificate is not trusted.",
    remedy: "If your own authority signed the certificate, name the authority's file in NODE_EXTRA_CA_CERTS.",
  },
  "too-large": {
    meaning: "The file is larger than the limit.",
    remedy: "Check that the source has the intended file.",
  },
  "too-many-redirects": {
    meaning: "The server redirects too often.",
    remedy: "Use another mirror.",
  },
  "too-slow": {
    meaning: "The download is slower than the minimum rate, even after retries.",
    remedy: "Use another mirror, or lower the minimum rate.",
  },
  unreachable: {
    meaning: "No connection to the server can be made: DNS, routing or the server itself fails.",
    remedy: "Check the network and the proxy variables. `--source sample` builds without a mirror.",
  },
  "unsupported-scheme": {
    meaning: "The scheme of the URL is not http, https or file.",
    remedy: "Write an `http:`, `https:` or `file:` URL, or an absolute path.",
  },
  "update-offline": {
    meaning: "`task update` needs the network, which `--offline` forbids.",
    remedy: "Omit `--offline`.",
  },
  "wrong-kind": {
    meaning: "The downloaded file is not of the expected type.",
    remedy: "Check the URL. The mirror has another or a damaged file there.",
  },
} satisfies ErrorArea;
