/**
 * Goal: endpoints that die and return every few seconds, at 4 blocks a second: no block is skipped, every hit is told, memory
 * stays bounded, and nobody is asked again and again while it is down.
 * Method: two operators of one chain behind proxies that go down by turns, and sometimes both. FLAP_SECONDS=300 runs it for
 * five minutes.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "@jest/globals";
import type { Faults } from "../support/fault-proxy.ts";
import { waitFor } from "../support/wait-for.ts";
import { createRandom } from "./random.ts";
import { doubles, startTrustWorld } from "./support/trust-world.ts";

const SECONDS = Number(process.env["FLAP_SECONDS"] ?? 10);
const SEED = Number(process.env["FLAP_SEED"] ?? Math.floor(Math.random() * 2 ** 31));
const BLOCK_MS = 250;
// A sender pays once, and there are 400.
const PAYMENT_EACH = 5;
// A node that is down gets a head, a retry and a probe each second or so from every part that asks; a storm would be hundreds.
const REQUESTS_WHILE_DOWN_PER_SECOND = 20;
const RSS_GROWTH_MAX = 250 * 1024 * 1024;

test(
  "endpoints die and return every few seconds at 4 blocks a second: nothing is skipped, nobody is stormed",
  async () => {
    process.stdout.write(`flapping with seed ${SEED}\n`);
    const random = createRandom(SEED);
    const world = await startTrustWorld({
      nodes: { left: { operator: "us", twin: 0 }, right: { operator: "them", twin: 0 } },
      twins: 1,
      chain: { blockTimeMs: BLOCK_MS },
    });
    const { twins, proxies, daemon } = world;
    try {
      const rss = async () => (await daemon.metric("process_resident_memory_bytes")) ?? 0;
      const rssBefore = await rss();
      const until = Date.now() + SECONDS * 1_000;
      const payments: string[] = [];
      const storms: string[] = [];

      const mining = (async () => {
        const startedAt = Date.now();
        for (let block = 0; Date.now() < until; block += 1) {
          // By the clock, not by pauses: a machine that was late makes up for it.
          await sleep(Math.max(0, startedAt + block * BLOCK_MS - Date.now()));
          const payment = block % PAYMENT_EACH === 0 ? [await twins.pay()] : [];
          payments.push(...payment.map(({ hash }) => hash));
          await twins.mine(payment);
        }
      })();
      const flapping = Object.entries(proxies).map(async ([name, proxy]) => {
        while (Date.now() < until) {
          const down: Faults = { down: random.pick(["reset", "refuse", "halfOpen"] as const) };
          proxy.set(down);
          const [before, cutAt] = [proxy.requests(), Date.now()];
          await sleep(random.between(1_000, 4_000));
          const perSecond = ((proxy.requests() - before) * 1_000) / (Date.now() - cutAt);
          if (perSecond > REQUESTS_WHILE_DOWN_PER_SECOND) storms.push(`${name}: ${perSecond} a second, ${down.down}`);
          proxy.set({});
          await sleep(random.between(1_000, 4_000));
        }
      });
      await Promise.all([mining, ...flapping]);
      for (const proxy of Object.values(proxies)) proxy.set({});

      const head = await twins.head(0);
      await waitFor(
        "the cursor at the head",
        async () => (await daemon.metric("heistwatch_chain_cursor_number")) === head,
        {
          timeoutMs: 60_000,
        },
      );
      expect(await daemon.metric("heistwatch_chain_gap_blocks")).toBe(0);
      // Blocks 2 and up were scanned, each once.
      expect(await daemon.metric("heistwatch_chain_blocks_total")).toBe(head - 1);
      for (const hash of payments) await world.until(hash, `the payment ${hash}`, ({ stage }) => stage !== "retracted");
      expect(doubles(world.alerts())).toEqual([]);
      expect(storms).toEqual([]);
      const grown = (await rss()) - rssBefore;
      process.stdout.write(
        `${head} blocks, ${payments.length} hits, ${Object.values(proxies).reduce((sum, proxy) => sum + proxy.requests(), 0)} requests, RSS grown by ${Math.round(grown / 2 ** 20)} MB\n`,
      );
      expect(grown).toBeLessThan(RSS_GROWTH_MAX);
    } finally {
      await world.stop();
    }
  },
  (SECONDS + 180) * 1_000,
);
