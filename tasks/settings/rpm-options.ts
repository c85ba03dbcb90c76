/** Options of the flavour rpm. */
import { type Parameter, param } from "../../src/engine/index.ts";

/** Where the installed machine finds the tree: the field `url` of a kickstart template. */
export const treeUrl: Parameter<string> = param.text({
  name: "tree-url",
  description: "flavour rpm: URL of the tree, for the field {{url}} of the kickstart file",
  value: "URL",
  env: "MK_BUNDLE_TREE_URL",
  default: "",
});

/** What the menus of imported boot files look for: `inst.stage2=hd:LABEL=…`. */
export const volumeLabel: Parameter<string> = param.text({
  name: "volume-id",
  description: "flavour rpm: volume id of the ISO (default: what its boot menu looks for)",
  value: "TEXT",
  env: "MK_BUNDLE_VOLUME_ID",
  default: "",
});
