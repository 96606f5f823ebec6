/**
 * Recorded bytes of thefts, from the fixtures, to the files that `heistwatch replay` ships: watchlists/thefts/*.json.gz.
 *
 *   node scripts/make-recorded.ts [fixtures folder] [output folder]
 */
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync, gzipSync } from "node:zlib";

const BITCOIN = "bip122:000000000019d6689c085ae165831e93";
const DMM_THEFT = "975ec405ac9dc9fa5ab8009d94d6a1fe31dff8a8127ea90d023104e52754e4d7";
const DMM_FUNDING = "c03acb80562302248f8be621e765315345a85cd3856bf49583e97b0428342908";
const IT_WORKER_BLOCK = 22_162_263;

/** File name -> what is in it. */
export function makeRecorded(fixtures: string): ReadonlyMap<string, object> {
  const bitcoin = (name: string) => readFileSync(path.join(fixtures, "bitcoin/mainnet/dmm", name), "utf8").trim();
  const evm = (name: string): unknown =>
    JSON.parse(gunzipSync(readFileSync(path.join(fixtures, `evm/ethereum/${IT_WORKER_BLOCK}`, name))).toString("utf8"));
  return new Map([
    [
      "dmm-bitcoin-2024-theft.json.gz",
      {
        format: "heistwatch-recorded/1",
        incident: "dmm-bitcoin-2024",
        chain: BITCOIN,
        what: "the theft of 31 May 2024: 4,502.9 BTC in one transaction; its block is not recorded",
        source: "rebuilt from a public decoding; proven by its id, its size and its 18 signatures",
        transaction: {
          txid: DMM_THEFT,
          raw: bitcoin("tx-975ec405.hex"),
          parents: { [DMM_FUNDING]: bitcoin("tx-c03acb80.hex") },
        },
      },
    ],
    [
      "andreyev-network-2025-payment.json.gz",
      {
        format: "heistwatch-recorded/1",
        incident: "andreyev-network-2025",
        chain: "eip155:1",
        what: "block 22162263 of 30 March 2025, whole: a wallet of the list sends 480 USDC",
        source:
          "github:ethereum/portal-spec-tests:tests/mainnet/history/block_data/block-data-22162263.yaml@938744a83d4f85dcdcf9bac12b798e15f2eac2b1, rewritten from RLP; proven by its hash",
        block: { number: IT_WORKER_BLOCK, answer: evm("block.json.gz"), receipts: evm("receipts.json.gz") },
      },
    ],
  ]);
}

function main([fixtures = "test/fixtures", output = "watchlists/thefts"]: readonly string[]): void {
  for (const [name, content] of makeRecorded(fixtures))
    writeFileSync(path.join(output, name), gzipSync(JSON.stringify(content), { level: 9 }));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main(process.argv.slice(2));
