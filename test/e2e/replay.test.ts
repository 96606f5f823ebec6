/** What ships of real thefts, through the whole line: the alerts that a person would have got. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { gunzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { makeRecorded } from "../../scripts/make-recorded.ts";
import { alertBody } from "../../src/alerts/body-schema.ts";
import { createTempDir, type TempDir } from "../support/temp-dir.ts";

const ROOT = path.join(import.meta.dirname, "../..");
const THEFTS = path.join(ROOT, "watchlists/thefts");

let folder: TempDir;
beforeEach(() => {
  folder = createTempDir("replay");
});
afterEach(() => folder.remove());

/** Two sinks, one for what is severe only; one customer's address; Bitcoin is not followed here. */
function configFile(): string {
  const file = path.join(folder.path, "heistwatch.yaml");
  const config = {
    dataDir: path.join(folder.path, "data"),
    chains: { ethereum: { nodes: [{ name: "away", http: "http://127.0.0.1:1", timeoutMs: 2_000 }] } },
    watchlists: {
      paths: [path.join(ROOT, "watchlists")],
      own: [path.join(folder.path, "own.csv")],
      tokens: path.join(ROOT, "config/tokens.yaml"),
    },
    sinks: {
      alerts: [
        { kind: "console", name: "desk" },
        { kind: "console", name: "pager" },
      ],
    },
    routes: [
      { to: ["pager"], minSeverity: "high" },
      { to: ["desk"], minSeverity: "info" },
    ],
  };
  writeFileSync(path.join(folder.path, "own.csv"), "chain,address,customerRef,wallet\n");
  writeFileSync(file, JSON.stringify(config));
  return file;
}

interface Step {
  readonly what: string;
  readonly problem?: string;
  readonly hits?: number;
  readonly recordedOnly?: number;
  readonly told?: readonly { sinks: string[]; body: { type: string; data: Record<string, unknown> } }[];
}

async function replay(...args: string[]): Promise<{ code: number | null; steps: readonly Step[]; errors: string }> {
  const child = spawn(process.execPath, ["src/cli/main.ts", "replay", ...args, "--json", "--config", configFile()], {
    cwd: ROOT,
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, TMPDIR: temporary() },
  });
  const [out, err]: string[][] = [[], []];
  child.stdout.setEncoding("utf8").on("data", (text: string) => out?.push(text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => err?.push(text));
  const [code] = (await once(child, "close")) as [number | null];
  const text = out?.join("") ?? "";
  const steps = text === "" ? [] : (JSON.parse(text) as { steps: Step[] }).steps;
  return { code, steps, errors: err?.join("") ?? "" };
}

function temporary(): string {
  const name = path.join(folder.path, "tmp");
  mkdirSync(name, { recursive: true });
  return name;
}

describe("heistwatch replay", () => {
  test("tells the theft of DMM Bitcoin out of its bytes, on a chain that is not followed here", async () => {
    const { code, steps } = await replay("dmm-bitcoin-2024");
    expect(code).toBe(0);
    expect(steps).toMatchObject([{ hits: 1, recordedOnly: 0, told: [{ sinks: ["desk"] }] }]);
    const body = steps[0]?.told?.[0]?.body;
    expect(alertBody.safeParse(body).error).toBeUndefined();
    expect(body).toMatchObject({
      type: "alert.created",
      data: {
        stage: "pending",
        severity: "medium",
        kind: "movement",
        chain: { name: "bitcoin" },
        transaction: { hash: "975ec405ac9dc9fa5ab8009d94d6a1fe31dff8a8127ea90d023104e52754e4d7" },
        exposure: { incidents: ["dmm-bitcoin-2024"] },
        summary: expect.stringMatching(/4502\.9 BTC .*1B6rJRfjTXwEy36SCs5zofGMmdv2kdZw7P \(DMM Bitcoin/),
      },
    });
  }, 120_000);

  test("tells a whole block that it proves, from a list that is off", async () => {
    const { code, steps } = await replay("andreyev-network-2025");
    expect(code).toBe(0);
    expect(steps).toMatchObject([{ hits: 1 }]);
    const [created] = steps[0]?.told ?? [];
    expect(alertBody.safeParse(created?.body).error).toBeUndefined();
    expect(created?.body).toMatchObject({
      data: {
        block: { number: 22_162_263, hash: "0xfbf884a87d9b41c39363242970cea015afbc9b5ba6ab1ed34f407b2621987353" },
        trust: { proven: true },
        transfers: [
          { key: "log:0", category: "erc20", amount: "480000000", from: "0x6b31AdA73dA66Bb0b889d60aD5ae968a0e7Fa1a9" },
        ],
      },
    });
  }, 120_000);

  test("says what it could not replay, and which incidents it knows", async () => {
    const nodes = await replay("upbit-2019", "--nodes");
    expect(nodes.code).toBe(75);
    expect(nodes.steps).toMatchObject([
      { what: "5 transactions on ethereum", problem: "no source says in which block they are" },
      { what: expect.stringContaining("block 9007863"), problem: expect.stringContaining("did not answer") },
    ]);
    const unknown = await replay("nothing-2024");
    expect(unknown).toMatchObject({ code: 1, errors: expect.stringContaining("dmm-bitcoin-2024") });
  }, 120_000);
});

test("what ships is what the fixtures have", () => {
  const made = makeRecorded(path.join(ROOT, "test/fixtures"));
  expect(made.size).toBe(2);
  for (const [name, content] of made)
    expect(JSON.parse(gunzipSync(readFileSync(path.join(THEFTS, name))).toString("utf8"))).toEqual(content);
});
