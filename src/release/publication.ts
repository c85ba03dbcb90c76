/**
 * Publishing a release: its files arrive in `releases/ID.partial`, are checked there and renamed to `releases/ID`; then
 * `current` becomes a symlink to it. Every step is one rename, so a reader finds the old release or the new one.
 */
import { hostname } from "node:os";
import { shellWord, UserError } from "../errors/index.ts";
import { checksumsFile, parseChecksums } from "./checksums.ts";
import { type Destination, DestinationShell, describeDestination, destinationFull } from "./destination.ts";
import { lastLine, type ReleaseContext, runProgram } from "./program.ts";

/** Files that tell of a release, and differ where its content does not. */
export const descriptionFiles = ["CHANGELOG", "release.json", "sources.lock.json"] as const;

/** What is published already. */
export interface Published {
  /** The release to which `current` leads. */
  readonly current?: string;
  /** Files of that release, by name. */
  readonly texts: ReadonlyMap<string, string>;
  /** Digests of the release with the asked id, where it is there. */
  readonly digests?: ReadonlyMap<string, string>;
  /** Names of that release's files. */
  readonly names: readonly string[];
}

/** An open destination. With `owner`, no other publication runs there meanwhile; without, nothing is written. */
export class Publication {
  readonly #destination: Destination;
  readonly #context: ReleaseContext;
  readonly #shell: DestinationShell;

  private constructor(destination: Destination, context: ReleaseContext) {
    this.#destination = destination;
    this.#context = context;
    this.#shell = new DestinationShell(destination, context);
  }

  /** Opens the destination; `owner` is what a second publication says of this one while it waits. */
  static async open(destination: Destination, context: ReleaseContext, owner?: string): Promise<Publication> {
    const opened = new Publication(destination, context);
    try {
      await opened.#enter(owner);
      return opened;
    } catch (error) {
      opened.close();
      throw error;
    }
  }

  close(): void {
    this.#shell.close();
  }

  async #enter(owner: string | undefined): Promise<void> {
    const shell = this.#shell;
    const directory = shellWord(this.#destination.directory);
    await shell.do("entering the destination", `CDPATH= cd -- ${directory}`);
    if (owner === undefined) return;
    const known = await shell.run("[ -L current ] || [ ! -e current ]");
    if (known.status !== 0) {
      throw new UserError("the destination has a file or directory named current that is not a symlink", {
        code: "store-destination",
        where: describeDestination(this.#destination),
        hint: "name a directory of its own for releases",
      });
    }
    await shell.do(
      "writing to the destination",
      "mkdir -p releases && : >>releases/.lock && : >>releases/.transfer",
    );
    await shell.do("locking the destination", "exec 9>>releases/.lock");
    const free = await shell.run("flock -n 9");
    if (free.status !== 0) {
      const { text } = await shell.run("cat releases/.owner");
      this.#context.note(`waiting for ${lastLine(text)}, which publishes there`);
      await shell.do("locking the destination", "flock 9");
    }
    const me = shellWord(`${owner} (process ${process.pid} on ${hostname()})`);
    await shell.do("locking the destination", `printf '%s\\n' ${me} >releases/.owner`);
  }

  /** Reads what is published, and whether the release `id` is. */
  async read(id: string): Promise<Published> {
    const shell = this.#shell;
    const link = await shell.run("readlink current");
    const current = link.status === 0 ? link.text.trim().replace(/^releases\//, "") : undefined;
    const texts = new Map<string, string>();
    for (const name of current === undefined ? [] : descriptionFiles) {
      const { status, text } = await shell.run(`cat current/${name}`);
      if (status === 0) texts.set(name, text);
    }
    const sums = await shell.run(`cat ${shellWord(`releases/${id}/${checksumsFile}`)}`);
    const listed = await shell.run(`ls -A ${shellWord(`releases/${id}`)}`);
    return {
      names: listed.status === 0 ? listed.text.split("\n") : [],
      ...(current === undefined ? {} : { current }),
      texts,
      ...(sums.status === 0 ? { digests: parseChecksums(sums.text) } : {}),
    };
  }

  /** Copies a local directory's files (absolute path; symlinks in it are followed) as the release `id`, which is not there yet. */
  async add(id: string, directory: string): Promise<void> {
    const partial = `releases/${id}.partial`;
    await this.#shell.do("writing to the destination", `mkdir -p ${shellWord(partial)}`);
    await this.#copy(directory, partial);
    await this.#shell.do(
      "checking the copied files",
      `(cd ${shellWord(partial)} && sha256sum --quiet -c ${checksumsFile} && sync -- *)`,
    );
    // A copy that outlived its publication holds the same lock: nothing writes to what is renamed.
    const rename = `mv -T ${shellWord(partial)} ${shellWord(`releases/${id}`)}`;
    await this.#shell.do("renaming the release", `flock releases/.transfer ${rename}`);
  }

  /** Makes `current` lead to the release `id`. */
  async switchTo(id: string): Promise<void> {
    const link = `ln -sfn ${shellWord(`releases/${id}`)} current.new`;
    await this.#shell.do(
      "switching to the release",
      `rm -rf current.new && ${link} && mv -T current.new current`,
    );
  }

  /** rsync(1): an exit status of 11 is an error of file input or output. */
  async #copy(from: string, partial: string): Promise<void> {
    const { host, directory } = this.#destination;
    const lock = `${directory}/releases/.transfer`;
    const to = `${directory}/${partial}/`;
    const options = [
      ...["--recursive", "--copy-links", "--times", "--perms", "--chmod=D755,F644"],
      ...["--checksum", "--delete", "--inplace", "--protect-args"],
    ];
    const local = ["rsync", ...options, "--", `${from}/`, to];
    const remote = [
      ...options,
      `--rsync-path=flock ${shellWord(lock)} rsync`,
      "--",
      `${from}/`,
      `${host}:${to}`,
    ];
    const { status, stderr } =
      host === undefined
        ? await runProgram(this.#context, "flock", [lock, ...local])
        : await runProgram(this.#context, "rsync", remote);
    if (status === 0) return;
    const where = describeDestination(this.#destination);
    if (/No space left on device|Disk quota exceeded/.test(stderr)) throw destinationFull(where);
    const said = stderr.split("\n").find((line) => line.trim() !== "") ?? `status ${status}`;
    throw new UserError(`rsync cannot copy the release: ${said.trim()}`, {
      code: "store-failed",
      where,
      hint: "run the same command again; the published release is whole, and what was copied is kept",
    });
  }
}
