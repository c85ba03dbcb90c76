/** Error codes of releases: publishing, signing, checking. */
import type { ErrorArea } from "./explanation.ts";

export const releaseErrors = {
  "release-damaged": {
    meaning: "A published release lacks a file, or a file differs from its SHA256SUMS.",
    remedy: "Delete the release at the destination and publish it again.",
  },
  "release-exists": {
    meaning:
      "The destination has a release of this version with other content. Published releases never change.",
    remedy: "Raise the version (`task version --bump patch`), or publish to another destination.",
  },
  "release-file": {
    meaning:
      "A file cannot be part of a release: two have the same name, or the name is reserved or has a line break.",
    remedy: "Rename the file, or leave it out.",
  },
  "signature-invalid": {
    meaning: "The release is not signed by this public key.",
    remedy: "Check that the key is the publisher's. If it is, do not use the release.",
  },
  "signing-key": {
    meaning: "The key that should sign does not exist, or the option does not name one.",
    remedy: "Write `gpg:NAME` or `minisign:FILE`. `gpg --list-secret-keys` lists gpg's keys.",
  },
  "signing-key-expired": {
    meaning: "The key that should sign has expired or is revoked.",
    remedy: "Extend it with `gpg --quick-set-expire`, or sign with another key.",
  },
  "signing-key-locked": {
    meaning: "The key that should sign has a password, which is missing or wrong.",
    remedy: "Give it by a file descriptor, as `--password-fd 3` reads it, or unlock the key in gpg-agent.",
  },
  "store-destination": {
    meaning: "The destination of a release is not a directory, or not one for releases.",
    remedy: "Name a directory, or `host:path` for a directory that ssh reaches.",
  },
  "store-failed": {
    meaning: "A release cannot be copied to its destination, for the reason that the message states.",
    remedy: "Run the same command again. The release that is published there is whole.",
  },
  "store-full": {
    meaning: "The destination of a release has no space left.",
    remedy: "Free space there and run the same command again. The release that is published there is whole.",
  },
  "store-usage": {
    meaning: "`task store` needs a destination: `--to DEST`, or `--verify DEST`.",
    remedy: "Run `task store --to DEST`.",
  },
  "template-machine": {
    meaning: "An OCI image names the machines that it runs on, and none of the image's programs tells.",
    remedy: "Put a program for x86, x86_64, arm or aarch64 into `bin` of the image.",
  },
} satisfies ErrorArea;
