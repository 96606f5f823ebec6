/** @swc/jest strips the types; ES modules stay ES modules (hence --experimental-vm-modules in package.json). */
export default {
  testEnvironment: "node",
  roots: ["<rootDir>/test"],
  testMatch: ["<rootDir>/test/**/*.test.ts"],
  extensionsToTreatAsEsm: [".ts"],
  transform: {
    "^.+\\.ts$": [
      "@swc/jest",
      { swcrc: false, sourceMaps: "inline", jsc: { target: "es2023", parser: { syntax: "typescript" } } },
    ],
  },
  // Integration tests start real servers: Postgres alone takes a second or two on a busy machine.
  testTimeout: 60_000,
  // Two workers on the two cores we promise to run on; more would only make servers time out.
  maxWorkers: 2,
};
