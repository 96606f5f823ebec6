/**
 * One address more among many watched Bitcoin addresses: how long until it is in the table of scripts, and how long nothing
 * else runs meanwhile. Beside it the table made anew, at once, of all of them.
 *
 *     node bench/changed-scripts.ts [addresses, default 200000]
 */
import { randomBytes } from "node:crypto";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { addressOf } from "../src/chains/bitcoin/address.ts";
import { NETWORKS } from "../src/chains/bitcoin/networks.ts";
import { createScriptTable } from "../src/chains/bitcoin/script-table.ts";
import { createScriptTables } from "../src/chains/bitcoin/script-tables.ts";
import type { AddressTable } from "../src/types/address-table.ts";
import { createAddressIndex } from "../src/watchlist/address-index.ts";

const count = Number(process.argv[2] ?? 200_000);
const network = NETWORKS.mainnet;
const some = () => addressOf(Buffer.concat([Buffer.of(0x00, 0x14), randomBytes(20)]), network);
const addresses = Array.from({ length: count }, some);
const base: AddressTable = {
  ...createAddressIndex({ count: 0 }).table,
  seedOf: () => null,
  addressesOf: () => addresses,
};

async function measure(what: string, work: () => unknown): Promise<void> {
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  await sleep(50);
  const startedAt = performance.now();
  await work();
  const took = performance.now() - startedAt;
  await sleep(50);
  delay.disable();
  console.log(`${what}: ${took.toFixed(1)} ms, nothing else ran for ${(delay.max / 1e6).toFixed(1)} ms at most`);
}

const tableOf = createScriptTables(network, new AbortController().signal);
const added = some();
const changed: AddressTable = {
  ...base,
  addressesOf: () => [...addresses, added],
  since: { base, changedOn: () => [{ address: added, isListed: true }] },
};
console.log(`${count} addresses`);
await measure("all of them at once", () => createScriptTable(changed.addressesOf(network.chainId), network));
await measure("all of them in slices", () => tableOf(base));
await measure("one more", () => tableOf(changed));
