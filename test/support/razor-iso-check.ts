/** A Razor server's verdict on an ISO, by a Ruby program that applies the server's rules (`razor_iso_check.rb`). */
import { spawnSync } from "node:child_process";
import path from "node:path";
import { usesPrograms } from "./programs.ts";

usesPrograms("ruby");

const program = path.join(import.meta.dirname, "razor_iso_check.rb");

/**
 * The reasons for which a Razor server would refuse an ISO: none for a good one.
 * @param name The ISO's file name.
 * @param directory Absolute path of the directory that it is unpacked in.
 * @param epoch The expected build time in seconds since 1970.
 */
export function refusalsOfRazor(name: string, directory: string, epoch: number): readonly string[] {
  const { status, stdout, stderr } = spawnSync("ruby", [program, name, directory, `${epoch}`], {
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(`${program}: ${stderr}`);
  return stdout.split("\n").filter((line) => line !== "");
}
