import { chmodSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "@jest/globals";
import { describeConfig } from "../../../src/config/describe.ts";
import { createReadEnv } from "../../../src/config/secrets.ts";
import { CHAINS, load, makeFolder, problemText, removeFolders, SECRET } from "./support.ts";

afterAll(removeFolders);

describe("{ env: NAME }", () => {
  test("reads the file that NAME_FILE names, without its line break", () => {
    const folder = makeFolder({ hook: `${SECRET}\n` });
    const readEnv = createReadEnv({ env: { HOOK_FILE: join(folder, "hook") }, baseDir: "/" });
    expect(readEnv("HOOK")).toEqual({ kind: "set", value: SECRET });
  });

  test("takes a relative NAME_FILE from the folder of the configuration", () => {
    const sink =
      "sinks: { alerts: [{ kind: webhook, name: desk, url: https://a.example.com, secrets: [{ env: HOOK }] }] }";
    const config = load(
      { "heistwatch.yaml": `${CHAINS}\n${sink}`, "secrets/hook": SECRET },
      { HOOK_FILE: "secrets/hook" },
    );
    expect(config.sinks.alerts[0]).toMatchObject({ secrets: [SECRET] });
  });

  test("takes an empty variable for one that is not set", () => {
    const folder = makeFolder({ hook: SECRET });
    const readEnv = createReadEnv({ env: { HOOK: "", HOOK_FILE: join(folder, "hook"), OTHER: " " }, baseDir: "/" });
    expect(readEnv("HOOK")).toEqual({ kind: "set", value: SECRET });
    expect(readEnv("OTHER")).toMatchObject({ kind: "unset" });
  });

  test("refuses a file that every user of the machine can read", () => {
    const folder = makeFolder({ hook: SECRET });
    const readEnv = createReadEnv({ env: { HOOK_FILE: join(folder, "hook") }, baseDir: "/" });
    chmodSync(join(folder, "hook"), 0o644);
    expect(readEnv("HOOK")).toMatchObject({
      kind: "refused",
      refusal: { found: "the file named by HOOK_FILE can be read by every user of this machine" },
    });
    chmodSync(join(folder, "hook"), 0o640);
    expect(readEnv("HOOK")).toMatchObject({ kind: "set" });
  });

  test.each([
    ["is missing", "nowhere", "the file named by HOOK_FILE cannot be read (ENOENT)"],
    ["is empty", "empty", "the file named by HOOK_FILE is empty"],
    ["is a folder", "folder", "HOOK_FILE names something that is not a small file"],
    ["is large", "large", "HOOK_FILE names something that is not a small file"],
  ])("refuses a file that %s", (_name, file, found) => {
    const folder = makeFolder({ empty: "\n", large: "x".repeat(70_000) });
    mkdirSync(join(folder, "folder"));
    const readEnv = createReadEnv({ env: { HOOK_FILE: join(folder, file) }, baseDir: "/" });
    expect(readEnv("HOOK")).toMatchObject({ kind: "refused", refusal: { found } });
  });
});

describe("nothing secret is ever told", () => {
  // One canary for every form a secret takes; each contains the same marker.
  const marker = "CANARYc4n4ry0123456789";
  const whsec = `whsec_${marker}`;

  test.each([
    ["a bad secret in a variable", "secrets: [{ env: HOOK }]", { HOOK: whsec }],
    ["a secret without its prefix", "secrets: [{ env: HOOK }]", { HOOK: marker }],
    ["a secret as the name of a secret file", "secrets: [{ env: HOOK }]", { HOOK_FILE: whsec }],
    ["a variable and its file", "secrets: [{ env: HOOK }]", { HOOK: whsec, HOOK_FILE: whsec }],
    ["a secret in the file", `secrets: [${whsec}]`, {}],
    ["a secret instead of the list", `secrets: ${marker}`, {}],
    ["a secret instead of a variable's name", `secrets: [{ env: ${marker} }]`, {}],
    ["a secret as a key", `${whsec}: x`, {}],
    ["a secret as a short key of a mapping", `secrets: [{ ${marker}: x }]`, {}],
    ["a secret as a header's name", `headers: { "${marker} x": y }`, {}],
    ["a secret as a header's value", `headers: { Authorization: ${marker} }`, {}],
    ["a secret with a line break as a header's value", "headers: { X: { env: HOOK } }", { HOOK: `${marker}\nx` }],
    ["a secret as a choice", `kind: ${marker}`, {}],
    ["a URL with a key in its path", `url: https://a.example.com/${marker}`, {}],
    ["a URL with a key in its query", `url: https://a.example.com/?k=${marker}`, {}],
    ["a URL with a password", "url: { env: HOOK }", { HOOK: `https://u:${marker}@a.example.com` }],
    ["a URL of another scheme", "url: { env: HOOK }", { HOOK: `${marker}://a.example.com` }],
    ["a secret as the default of a URL", `url: { env: HOOK, default: ${marker} }`, {}],
    ["a secret as a network", `allowNetworks: [${marker}]`, {}],
    ["a secret as a name", `name: ${whsec}`, {}],
    ["a secret where a number belongs", `timeoutMs: ${marker}`, {}],
    ["a secret on a line that is not YAML", `url: "${marker}" x: {`, {}],
    ["a secret as an alias", `url: *${marker}`, {}],
    ["a secret as a key that stands twice", `${marker}: 1\n      ${marker}: 2`, {}],
    ["a secret as a tag", `url: !${marker} x`, {}],
  ])("%s", (_name, line, env) => {
    const yaml = `${CHAINS}\nsinks:\n  alerts:\n    - kind: webhook\n      ${line}\n`;
    const yamlOnce = line.startsWith("kind") ? yaml.replace("kind: webhook\n      ", "") : yaml;
    const text = problemText({ "heistwatch.yaml": yamlOnce }, env);
    expect(text).toMatch(/problems? in the configuration/);
    for (let from = 0; from + 10 <= marker.length; from += 1) {
      expect(text).not.toContain(marker.slice(from, from + 10));
    }
  });

  test("describeConfig tells what would run and masks URLs, secrets and header values", () => {
    const sink =
      "{ kind: webhook, name: desk, url: { env: URL }, secrets: [{ env: S }, { env: S }], headers: { Authorization: { env: T } } }";
    const yaml = [
      "store: { databaseUrl: { env: URL_DB } }",
      "queue: { redisUrl: { env: URL_REDIS } }",
      "chains: { ethereum: { start: 2025-02-21, nodes: [{ name: own-a, http: { env: URL }, ws: { env: URL_WS } }] } }",
      `sinks: { alerts: [${sink}] }`,
    ].join("\n");
    const secret = `whsec_${Buffer.from(marker.repeat(2)).toString("base64")}`;
    const env = {
      URL: `https://a.example.com/${marker}?k=${marker}`,
      URL_WS: `wss://a.example.com/${marker}`,
      URL_DB: `postgres://u:${marker}@db:5432/x`,
      URL_REDIS: `redis://:${marker}@redis:6379/0`,
      S: secret,
      T: `Bearer ${marker}`,
    };
    const lines = describeConfig(load({ "heistwatch.yaml": yaml }, env));
    expect(lines.join("\n")).not.toContain(marker);
    expect(lines.join("\n")).not.toContain(secret.slice(6, 20));
    expect(lines).toEqual(
      expect.arrayContaining([
        "store: PostgreSQL at postgres://db:5432/…",
        "queue: Redis at redis://redis:6379/…, prefix heistwatch",
        "chain ethereum (eip155:1): start at 2025-02-21T00:00:00.000Z, final by the node's finalized tag, reorgs followed 128 blocks deep, one operator: nobody else is asked",
        "  node own-a of self: https://a.example.com/…, websocket wss://a.example.com/…, 8 requests at once, 200 a second, timeout 10000 ms",
        "alerts to desk: webhook https://a.example.com/…, 2 secrets, headers Authorization",
        "operations to console: console",
        "http: 127.0.0.1, port 9464",
      ]),
    );
  });
});
