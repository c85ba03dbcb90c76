/** `lists/image.yaml`: names with values in braces, and their limits. */
import { expect, it } from "vitest";
import { microkernelIdentity, named } from "../../tasks/image/image-identity.ts";
import { readImageNames } from "../../tasks/image/image-names.ts";

const values = { version: "1.2.0", variant: "prod", arch: "x86_64" } as const;
const identify = async (text: string) =>
  named(microkernelIdentity("1.2.0", 0), await readImageNames(text), values);

it("names take the values of the build; those that are not given stay", async () => {
  const identity = await identify('volume: "KIOSK {version} {arch}"\n');
  expect([identity.volume, identity.application]).toEqual([
    { id: "KIOSK 1.2.0 x86_64" },
    "Razor Microkernel",
  ]);
  expect((await identify('application: "Kiosk, {variant}"\n')).application).toBe("Kiosk, prod");
});

it("an empty file changes nothing", async () => {
  expect((await identify("")).volume).toEqual(microkernelIdentity("1.2.0", 0).volume);
});

it.each([
  [
    "volume: '{version}{version}{version}{version}{version}{version}{version}'",
    /"volume" becomes .* 35 characters; 32 fit/,
  ],
  [`application: ${"a".repeat(129)}`, /129 characters; 128 fit/],
  ["volume: ünïcode", /"volume" must be printable ASCII/],
  ["file: kiosk.iso", /"file" must be a file name that ends in \.iso and has \{variant\}/],
  ["file: ../{variant}.iso", /"file" must be a file name/],
  ["file: '{variant}-{arch}.iso'", /\{arch\} has no value in "file"/],
  ["title: Kiosk", /"title" is no key of this file/],
])("%s is refused", async (text, message) => {
  await expect(identify(`${text}\n`)).rejects.toMatchObject({
    code: "image-names",
    where: expect.stringMatching(/^lists\/image\.yaml/),
    message: expect.stringMatching(message),
  });
});
