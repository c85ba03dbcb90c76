/** Variables that say how to reach the network; they never change what comes from it. */
export const proxyVariables: readonly string[] = ["http", "https", "no"].flatMap((kind) => [
  `${kind}_proxy`,
  `${kind.toUpperCase()}_PROXY`,
]);
