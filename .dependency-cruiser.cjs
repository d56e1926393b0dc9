/** Import rules of the house: imports run one way (util <- core <- backends, recipes, testing <- cli), no cycles. */
const backends = "bolt|etcd|etcd2|consul|zookeeper";
module.exports = {
  forbidden: [
    { name: "no-cycles", severity: "error", from: {}, to: { circular: true } },
    {
      name: "util-stands-alone",
      severity: "error",
      from: { path: "^src/util/" },
      to: { path: "^src/", pathNot: "^src/util/" },
    },
    {
      name: "core-sees-util",
      severity: "error",
      from: { path: "^src/core/" },
      to: { path: "^src/", pathNot: "^src/(util|core)/" },
    },
    {
      name: "client-and-engine-see-util",
      comment: "A backend's client or engine can be used alone.",
      severity: "error",
      from: { path: `^src/(${backends})/(client|engine)/` },
      to: { path: "^src/", pathNot: "^src/(util/|$1/$2/)" },
    },
    {
      name: "backends-see-core",
      comment: "A backend sees util, core and itself, never another backend.",
      severity: "error",
      from: { path: `^src/(${backends})/` },
      to: { path: "^src/", pathNot: "^src/(util|core|$1)/" },
    },
    {
      name: "recipes-and-testing-see-core",
      comment: "Recipes and the suite see only the contract.",
      severity: "error",
      from: { path: "^src/(recipes|testing)/" },
      to: { path: "^src/", pathNot: "^src/(util|core|$1)/" },
    },
    { name: "nothing-imports-cli", severity: "error", from: { pathNot: "^src/cli/" }, to: { path: "^src/cli/" } },
    {
      name: "public-face-loads-no-driver",
      comment: "index.ts and connect.ts reach a backend only by dynamic import.",
      severity: "error",
      from: { path: "^src/(index|connect)\\.ts$" },
      to: { path: `^src/(${backends})/`, dependencyTypesNot: ["type-only"], dynamic: false },
    },
    {
      name: "no-dev-dependencies",
      severity: "error",
      from: { path: "^src/" },
      to: { dependencyTypes: ["npm-dev", "npm-no-pkg", "npm-unknown"] },
    },
    { name: "resolvable", severity: "error", from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    tsConfig: { fileName: "tsconfig.json" },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["import", "require", "node", "default", "types"],
    },
  },
};
