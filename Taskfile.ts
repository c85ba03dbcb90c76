/** The targets, variants and limits of this project; each target is a file in tasks/. */
import { taskfile } from "./src/engine/index.ts";
import { billOfMaterials, bundleBill, remasterBill } from "./tasks/bill-of-materials.ts";
import { boot } from "./tasks/boot.ts";
import { bootLoaders } from "./tasks/boot-loaders.ts";
import { cat } from "./tasks/cat.ts";
import { check } from "./tasks/check.ts";
import { initrdUnpacks, mirrorAnswers, proxiesAnswer } from "./tasks/checks.ts";
import { clean } from "./tasks/clean.ts";
import { convertDebs } from "./tasks/convert-debs.ts";
import { diff } from "./tasks/diff.ts";
import { diskLoaders } from "./tasks/disk-loaders.ts";
import { extension } from "./tasks/extension.ts";
import { extensions } from "./tasks/extensions.ts";
import { extract } from "./tasks/extract.ts";
import { fetchIso } from "./tasks/fetch-iso.ts";
import { find } from "./tasks/find.ts";
import { flavours, ociTemplates } from "./tasks/flavours.ts";
import { isoFromBundle } from "./tasks/iso-from-bundle.ts";
import { ls } from "./tasks/ls.ts";
import { overlay } from "./tasks/overlay.ts";
import { overlayTarball } from "./tasks/overlay-tarball.ts";
import { ownIndex } from "./tasks/own-index.ts";
import { pxe } from "./tasks/pxe.ts";
import { rebuildIso } from "./tasks/rebuild-iso.ts";
import { remaster } from "./tasks/remaster.ts";
import { report } from "./tasks/report.ts";
import { samplePackagePlan } from "./tasks/sample-packages.ts";
import { sampleSource } from "./tasks/sample-source.ts";
import { sbom } from "./tasks/sbom.ts";
import { isRemasterConfig } from "./tasks/settings/ezremaster-file.ts";
import { bundleFile, isoVersion, pxeWanted, sbomWanted } from "./tasks/settings/image-options.ts";
import { remasterVariable } from "./tasks/settings/remaster-options.ts";
import { size } from "./tasks/size.ts";
import { templates } from "./tasks/templates.ts";
import { version } from "./tasks/version.ts";

export default taskfile({
  title: "Razor Microkernel Generator",
  version: isoVersion,
  targets: [
    version,
    samplePackagePlan,
    sampleSource,
    fetchIso,
    bootLoaders,
    diskLoaders,
    convertDebs,
    ownIndex,
    ...flavours.razor.steps,
    ...flavours.remaster.steps,
    ...flavours.rpm.steps,
    extension,
    extensions,
    boot,
    ls,
    cat,
    extract,
    find,
    check,
    diff,
    size,
    sbom,
    report,
    clean,
  ],
  replacements: [
    { of: rebuildIso, given: bundleFile, use: isoFromBundle },
    { of: billOfMaterials, given: bundleFile, use: bundleBill },
  ],
  alsoBuilds: [
    [overlay, overlayTarball],
    [rebuildIso, pxe, pxeWanted],
    [rebuildIso, billOfMaterials, sbomWanted],
    [isoFromBundle, bundleBill, sbomWanted],
    [remaster, remasterBill, sbomWanted],
    ...ociTemplates,
  ],
  aliases: { iso: rebuildIso },
  examples: [
    { command: "iso --source sample", does: "build an ISO from this distribution's packages" },
    { command: "iso --prod", does: "build a production ISO: no ssh, no password" },
    {
      command: "iso -b my.lst --tc-passwd-file tc.passwd",
      does: "build an ISO with your own list and password",
    },
    {
      command: "remaster --config ezremaster.cfg",
      does: "remaster Tiny Core with an ezremaster user's settings",
    },
    { command: "bundle --prod", does: "pack everything to build the production ISO on another machine" },
    { command: "update bash.tcz", does: "check upstream for a newer bash.tcz" },
    { command: "clean --all", does: "empty the cache, too" },
  ],
  variants: {
    dev: { description: "ssh and a password for the user tc", flags: ["--dev"] },
    prod: { description: "no ssh, nobody can log in", flags: ["-p", "--prod", "--build-prod-image"] },
    debug: {
      description: "like dev, with a login on the console",
      flags: ["-d", "--debug", "--build-debug-image"],
    },
  },
  flavours,
  templates,
  variantEnv: "MK_BUNDLE_TYPE",
  deprecated: [
    {
      flags: "-r, --reuse-prev-dl",
      env: "MK_BUNDLE_RE_USE_PREV_DL",
      answer: "-r/--reuse-prev-dl is not needed: the cache keeps and verifies downloads",
    },
  ],
  configFormats: [{ matches: isRemasterConfig, variable: remasterVariable }],
  report,
  checks: [mirrorAnswers, proxiesAnswer, initrdUnpacks],
  cache: { maxSize: 5 * 1024 ** 3 },
  pools: { network: 4 },
});
