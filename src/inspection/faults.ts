/** What would go wrong on the booted machine, as far as the image's files and boot menu tell. */
import { bootCodeFaults } from "./boot-code-faults.ts";
import type { Image } from "./image.ts";
import type { ImageFault } from "./image-fault.ts";
import { libraryFaults } from "./library-faults.ts";
import { scriptFaults } from "./script-faults.ts";

/** The faults of an image that boots, errors first. */
export async function findFaults(
  image: Pick<Image, "view" | "bootArguments">,
): Promise<readonly ImageFault[]> {
  const { view, bootArguments } = image;
  const faults = [
    ...bootCodeFaults(bootArguments, view.tree),
    ...(await scriptFaults(view.tree)),
    ...(await libraryFaults(view.tree)),
  ];
  return [...faults.filter(isError), ...faults.filter((fault) => !isError(fault))];
}

function isError({ severity }: ImageFault): boolean {
  return severity === "error";
}
