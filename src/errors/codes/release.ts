/** Error codes of releases: publishing, signing, checking. */
import type { ErrorArea } from "./explanation.ts";

export const releaseErrors = {
  "backup-damaged": {
    meaning: "A file in a backup does not have the digest that the backup recorded for it.",
    remedy:
      "Take another copy of the backup. `sha256sum -c SHA256SUMS` in the unpacked archive names all such files.",
  },
  "backup-incomplete": {
    meaning:
      "The project cannot be rebuilt from a backup: a download is not in the cache, or an input is outside of the project.",
    remedy:
      "Build the image once, so that all downloads are in the cache; copy files from elsewhere into the project.",
  },
  "backup-usage": {
    meaning: "`task backup` takes no words; `task backup --restore FILE` takes a directory.",
    remedy: "Run `task backup`, or `task backup --restore FILE DIRECTORY`.",
  },
  "editor-failed": {
    meaning: "The editor that `--edit` started cannot be started, or ended with a failure.",
    remedy: "Set the variable VISUAL or EDITOR to the command of an editor.",
  },
  "not-a-backup": {
    meaning: "The file is a tarball, but not one that `task backup` made.",
    remedy: "Name a file that `task backup` made.",
  },
  "readme-field": {
    meaning: "The template of README, `image-src/README`, has a field that does not exist.",
    remedy: "Correct the field's name; the message lists the fields.",
  },
  "readme-missing": {
    meaning:
      "`task readme` prints README of the ISO, and the project has no template of it, `image-src/README`.",
    remedy: "Run `task readme --edit`, which begins one.",
  },
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
