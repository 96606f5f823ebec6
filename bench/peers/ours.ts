/**
 * The peers' work by heistwatch as it is: header, block and receipts of every block, all transfers, matched; counted are
 * the ERC-20 transfers.
 *
 *     node ours.ts <http url> <first block> <last block> <file with a JSON list of addresses>
 */
import { readFileSync } from "node:fs";
import { openHitReader } from "../variants/ours.ts";

// The peers have ten requests under way; a block here is three.
const LANES = 3;

const [url = "", first = "", last = "", file = ""] = process.argv.slice(2);
const started = performance.now();
const used = JSON.parse(readFileSync(file, "utf8")) as string[];
const { adapter, hitsAt } = openHitReader({ httpUrl: url, wsUrl: "", watched: { used, unused: [] } });
const start = process.cpuUsage();
let next = Number(first);
let events = 0;

async function runLane(): Promise<void> {
  while (next <= Number(last)) {
    const number = next;
    next += 1;
    const hits = await hitsAt(number);
    events += hits.filter(({ transfer }) => transfer.category === "erc20").length;
  }
}

await Promise.all(Array.from({ length: LANES }, runLane));
await adapter.close();
const { user, system } = process.cpuUsage();
console.log(
  JSON.stringify({
    events,
    startCpuMs: (start.user + start.system) / 1000,
    cpuMs: (user + system) / 1000,
    wallMs: performance.now() - started,
    peakRssMb: process.resourceUsage().maxRSS / 1024,
  }),
);
