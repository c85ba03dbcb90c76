/** Programs that are installed for tests start no service. */
import { chmod, readFile, rm, writeFile } from "node:fs/promises";
import { expect, it } from "vitest";
import { startingNoServices } from "../../bin/apt.mjs";
import { useWorkshop } from "../sample-source-workshop.ts";

const workshop = useWorkshop();

/** Installs a package with a dpkg that records what invoke-rc.d would be told, and ends with the status given. */
async function install(
  status: number,
): Promise<{ readonly exitCode: number | null; readonly policy: string }> {
  const record = workshop.path("record");
  await rm(record, { force: true });
  const dpkg = workshop.path("dpkg");
  const policy = workshop.path("policy-rc.d");
  const lines = [
    "#!/bin/sh",
    // apt asks for abilities first.
    `case "$*" in *--unpack*|*--configure*) ;; *) exit 0;; esac`,
    `if [ -x '${policy}' ]; then '${policy}' service start; echo $? >>'${record}'; else echo none >>'${record}'; fi`,
    `exit ${status}`,
    "",
  ];
  await writeFile(dpkg, lines.join("\n"));
  await chmod(dpkg, 0o755);
  const options = ["-o", `Dir::Bin::dpkg=${dpkg}`, "-o", "Debug::NoLocking=1", ...startingNoServices(policy)];
  const { exitCode } = await workshop.$({ nothrow: true })`apt-get -qq ${options} install --yes broker`;
  return { exitCode, policy: (await readFile(record, "utf8")).split("\n")[0] ?? "" };
}

it("forbids services while packages are installed, and no longer", async () => {
  await workshop.offer({ name: "broker" });
  expect(await install(0)).toEqual({ exitCode: 0, policy: "101" });
  await expect(readFile(workshop.path("policy-rc.d"))).rejects.toMatchObject({ code: "ENOENT" });
  expect(await install(1)).toMatchObject({ exitCode: 100, policy: "101" });
  await expect(readFile(workshop.path("policy-rc.d"))).rejects.toMatchObject({ code: "ENOENT" });
});

it("keeps an administrator's own policy", async () => {
  const own = "#!/bin/sh\nexit 104\n";
  await workshop.offer({ name: "broker" });
  await writeFile(workshop.path("policy-rc.d"), own);
  await chmod(workshop.path("policy-rc.d"), 0o755);
  expect(await install(0)).toEqual({ exitCode: 0, policy: "104" });
  expect(await readFile(workshop.path("policy-rc.d"), "utf8")).toBe(own);
});
