/**
 * A daemon with a large list, on Postgres: it starts from the store, then from the file that it left, and whatever is added
 * is matched at once. HEISTWATCH_LARGE_LIST=10000000 for the size that is promised; prints what it measured.
 */
import { readFileSync } from "node:fs";
import { afterEach, expect, test } from "@jest/globals";
import type { AlertBody } from "../../src/alerts/body-schema.ts";
import type { Outcome } from "../../src/daemon/watch-outcome.ts";
import { writeDaemonConfig } from "../support/daemon.ts";
import { startPostgres } from "../support/postgres.ts";
import { startReceiver } from "../support/receiver.ts";
import { createTempDir } from "../support/temp-dir.ts";
import { waitFor } from "../support/wait-for.ts";
import { cliJson, type Heistwatch, PATIENCE_MS, runDaemon, until } from "./support/heistwatch.ts";
import { fillLargeList, largeListAddress } from "./support/large-list.ts";
import { startEthereum, steal, STRANGER, SUSPECT, WATCHING } from "./support/theft.ts";

const SIZE = Number(process.env["HEISTWATCH_LARGE_LIST"] ?? 200_000);
// Reading the store takes the most: some hundred microseconds an entry where the machine is busy.
const START_MS = 60_000 + SIZE / 2;
// Accounts of anvil that no list names.
const [NEWCOMER, LATECOMER] = [
  "0x9965507D1a55bcC2695C58ba16FB37d819B0A4dc",
  "0x976EA74026E726554dB657fA54763abd0C3a0aa9",
] as const;
const cleanup: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const undo of cleanup.splice(0).toReversed()) await undo();
}, 60_000);

function kept<T extends { stop(): Promise<unknown> }>(started: T): T {
  cleanup.push(() => started.stop());
  return started;
}

function rssMb({ pid }: Heistwatch): number {
  const [, kb = "0"] = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
  return Math.round(Number(kb) / 1024);
}

test(
  "an address added to a large list is told at once, before and after a restart from the file",
  async () => {
    const dir = createTempDir("large-list");
    cleanup.push(() => dir.remove());
    const postgres = kept(await startPostgres());
    const databaseUrl = await postgres.createDatabase("large");
    await fillLargeList(databaseUrl, SIZE);
    const [node, desk] = [kept(await startEthereum()), kept(await startReceiver())];
    const at = await writeDaemonConfig({
      dir: dir.path,
      nodeUrl: node.url,
      nodeWsUrl: node.wsUrl,
      databaseUrl,
      ...WATCHING,
      webhooks: [{ name: "desk", url: desk.url, secrets: [desk.secret], concurrency: 16 }],
    });
    const measured: Record<string, number> = { entries: SIZE };
    const measure = async <T>(what: string, work: Promise<T>): Promise<T> => {
      const startedAt = performance.now();
      const done = await work;
      measured[what] = Math.round(performance.now() - startedAt);
      return done;
    };
    const start = async (): Promise<Heistwatch> => {
      const daemon = kept(runDaemon(at));
      await until(daemon, "heistwatch runs", START_MS);
      await until(daemon, "leading this chain", START_MS);
      return daemon;
    };
    const lastBodies = () => desk.requests.map(({ body }) => body as AlertBody);
    const told = (tx: string | undefined) =>
      waitFor(`the alert of ${tx}`, () => lastBodies().some(({ data }) => data.transaction?.hash === tx), {
        timeoutMs: PATIENCE_MS,
      });
    const add = (address: string) =>
      cliJson<Outcome>(["watch", "add", address, "--incident", "test-heist", "--yes"], at);
    const swapMs = (daemon: Heistwatch) =>
      Number(daemon.logs().findLast(({ msg }) => msg === "changed watchlists are in force")?.["ms"]);

    const first = await measure("first start ms", start());
    measured["RSS after it, MB"] = rssMb(first);
    await told((await steal(node, 1, { from: SUSPECT }))[0]);
    await measure("command that adds, ms", add(NEWCOMER));
    measured["of it new lists in force ms"] = swapMs(first);
    await measure(
      "theft to alert ms",
      steal(node, 1, { from: NEWCOMER }).then(([tx]) => told(tx)),
    );
    expect(first.output()).toContain("file of watched entries built");
    await first.stop();

    const second = await measure("second start ms", start());
    measured["RSS after the second, MB"] = rssMb(second);
    expect(second.output()).not.toContain("file of watched entries built");
    await told((await steal(node, 1, { from: NEWCOMER }))[0]);
    await add(LATECOMER);
    measured["new lists in force after the second ms"] = swapMs(second);
    await told((await steal(node, 1, { from: LATECOMER }))[0]);
    console.log(JSON.stringify(measured, null, 1));
    expect(measured["of it new lists in force ms"]).toBeGreaterThanOrEqual(0);

    // The many are watched as well as the few.
    await told((await steal(node, 1, { from: STRANGER, to: largeListAddress(SIZE - 1) }))[0]);
  },
  10 * START_MS,
);
