/** A chain whose blocks hold as many hits as asked for: a listed token moves from watched addresses to own ones. */
import { getAddress, parseUnits } from "ethers";
import { compileSpray } from "../../test/e2e/contracts.ts";
import { largeListAddress } from "../../test/e2e/support/large-list.ts";
import { type Anvil, startAnvil } from "../../test/support/anvil.ts";

/** A transaction pays that many own addresses: one alert each. */
export const HITS_PER_TRANSACTION = 10;
/** `finalized` stands that many blocks behind the head, so that each alert is told a second time while the rate goes on. */
export const FINAL_BEHIND = 8;
export const CUSTOMERS = 1_000;
const FIRST_CUSTOMER = 0x10_0000_0000n;
// Anvil holds the keys of ten accounts.
const SENDERS = 10;

export const customerAddress = (place: number) =>
  getAddress(`0x${(FIRST_CUSTOMER + BigInt(place)).toString(16).padStart(40, "0")}`);

export interface RateChain {
  readonly anvil: Anvil;
  readonly token: string;
  /** Hands the node the transactions of its next block. */
  send(hits: number): Promise<void>;
  /** Mines it; its number, and when the node was told to, unix milliseconds. */
  mine(): Promise<{ number: number; at: number }>;
  stop(): Promise<void>;
}

/** `watched`: how many addresses of the large list take turns as senders of the token. */
export async function startRateChain({ watched }: { watched: number }): Promise<RateChain> {
  const token = await compileSpray();
  const anvil = await startAnvil({
    chainId: 1,
    noMining: true,
    slotsInAnEpoch: FINAL_BEHIND / 2,
    extraArgs: ["--gas-limit", "120000000"],
  });
  const accounts = (await anvil.rpc<string[]>("eth_accounts")).slice(0, SENDERS);
  const [deployer = ""] = accounts;
  const hash = await anvil.rpc<string>("eth_sendTransaction", [
    { from: deployer, data: token.bytecode, gas: "0x200000" },
  ]);
  await anvil.mine();
  const { contractAddress } = await anvil.rpc<{ contractAddress: string }>("eth_getTransactionReceipt", [hash]);
  const to = getAddress(contractAddress);
  let sent = 0;

  function nextTransaction(count: number) {
    // A prime step: the senders lie all over the list.
    const from = largeListAddress((sent * 104_729) % watched);
    const first = FIRST_CUSTOMER + BigInt((sent * HITS_PER_TRANSACTION) % CUSTOMERS);
    const data = token.abi.encodeFunctionData("spray", [from, first, count, parseUnits("10000", 6)]);
    const account = accounts[sent % accounts.length];
    sent += 1;
    return { from: account, to, data, gas: "0x30d40" };
  }

  return {
    anvil,
    token: to,
    async send(hits) {
      const calls: object[] = [];
      for (let left = hits; left > 0; left -= HITS_PER_TRANSACTION)
        calls.push(nextTransaction(Math.min(HITS_PER_TRANSACTION, left)));
      if (calls.length > 0) await sendBatch(anvil.url, calls);
    },
    async mine() {
      const at = Date.now();
      return { number: await anvil.mine(), at };
    },
    stop: () => anvil.stop(),
  };
}

async function sendBatch(url: string, calls: readonly object[]): Promise<void> {
  const body = calls.map((call, id) => ({ jsonrpc: "2.0", id, method: "eth_sendTransaction", params: [call] }));
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  const answers = (await response.json()) as { error?: { message: string } }[];
  const failed = answers.find(({ error }) => error !== undefined);
  if (failed !== undefined) throw new Error(`the node refused a transaction: ${failed.error?.message}`);
}
