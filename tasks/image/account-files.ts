/**
 * The image's passwd, group, shadow and sudoers, changed line by line: every other line stays as it is.
 *
 * Formats: passwd(5), group(5), shadow(5), sudoers(5).
 */
import { bytesContent, type FileTree } from "../../src/formats/index.ts";

/** A file of lines with fields between colons, the first of which is a name. */
class FieldFile {
  readonly #lines = new Map<string, readonly string[]>();

  constructor(text: string) {
    for (const line of text.split("\n")) {
      const fields = line.split(":");
      if (fields[0] !== undefined && fields[0] !== "") this.#lines.set(fields[0], fields);
    }
  }

  has(name: string): boolean {
    return this.#lines.has(name);
  }

  get(name: string): readonly string[] | undefined {
    return this.#lines.get(name);
  }

  set(name: string, fields: readonly string[]): void {
    this.#lines.set(name, fields);
  }

  delete(name: string): void {
    this.#lines.delete(name);
  }

  names(): readonly string[] {
    return [...this.#lines.keys()];
  }

  /** The name of the line with this value in a field. */
  holderOf(field: number, value: string): string | undefined {
    return [...this.#lines.values()].find((fields) => fields[field] === value)?.[0];
  }

  /** The first number from `from` on that no line has in a field. */
  free(field: number, from: number): number {
    let number = from;
    while (this.holderOf(field, `${number}`) !== undefined) number += 1;
    return number;
  }

  toString(): string {
    return [...this.#lines.values()].map((fields) => `${fields.join(":")}\n`).join("");
  }
}

const names = {
  passwd: "etc/passwd",
  group: "etc/group",
  shadow: "etc/shadow",
  sudoers: "etc/sudoers",
} as const;

/** The files about accounts, as the image has them. */
export class AccountFiles {
  readonly passwd: FieldFile;
  readonly group: FieldFile;
  readonly shadow: FieldFile;
  #sudoers: string;
  readonly #before: Readonly<Record<keyof typeof names, string>>;

  private constructor(texts: Readonly<Record<keyof typeof names, string>>) {
    this.#before = texts;
    this.passwd = new FieldFile(texts.passwd);
    this.group = new FieldFile(texts.group);
    this.shadow = new FieldFile(texts.shadow);
    this.#sudoers = texts.sudoers;
  }

  /** As the image has them: the overlay's files, else Core's. */
  static async read(tree: FileTree, core: FileTree): Promise<AccountFiles> {
    const text = async (name: string): Promise<string> => {
      const from =
        tree.get(name)?.type === "file" ? tree : core.get(name)?.type === "file" ? core : undefined;
      return from === undefined ? "" : (await from.read(name)).toString("latin1");
    };
    return new AccountFiles({
      passwd: await text(names.passwd),
      group: await text(names.group),
      shadow: await text(names.shadow),
      sudoers: await text(names.sudoers),
    });
  }

  remove(name: string): void {
    this.passwd.delete(name);
    this.shadow.delete(name);
    for (const group of this.group.names()) {
      const fields = this.group.get(group);
      const members = (fields?.[3] ?? "").split(",");
      if (fields !== undefined && members.includes(name))
        this.group.set(group, fields.with(3, members.filter((one) => one !== name).join(",")));
    }
    this.allow(name, "none");
  }

  join(name: string, group: string): void {
    const fields = this.group.get(group) ?? [];
    const members = (fields[3] ?? "").split(",").filter((one) => one !== "");
    if (!members.includes(name)) this.group.set(group, fields.with(3, [...members, name].join(",")));
  }

  /** Replaces the rules of the user in sudoers. */
  allow(name: string, sudo: "none" | "all" | "nopasswd"): void {
    const isNamed = (line: string): boolean => line.split(/\s/, 1)[0] === name;
    const lines = this.#sudoers.split("\n");
    if (sudo === "none" && !lines.some(isNamed)) return;
    const others = lines.filter((line) => !isNamed(line));
    const rule = {
      none: [],
      all: [`${name}\tALL=(ALL) ALL`],
      nopasswd: [`${name}\tALL=(ALL) NOPASSWD: ALL`],
    }[sudo];
    const kept = others.join("\n").replace(/\n*$/, "");
    this.#sudoers = [...(kept === "" ? [] : [kept]), ...rule].map((line) => `${line}\n`).join("");
  }

  /** Puts those into the tree that changed. */
  write(tree: FileTree, mtime: number): void {
    const put = (key: keyof typeof names, text: string, mode: number): void => {
      if (text !== this.#before[key])
        tree.addFile(names[key], bytesContent(Buffer.from(text, "latin1")), { mtime, mode });
    };
    put("passwd", this.passwd.toString(), 0o644);
    put("group", this.group.toString(), 0o644);
    put("shadow", this.shadow.toString(), 0o600);
    put("sudoers", this.#sudoers, 0o440);
  }
}
