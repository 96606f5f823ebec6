/**
 * Bitcoin under a crash run: a real node of the family on regtest. Thefts pay several watched addresses at once, cash-outs
 * pay several own ones from watched coins, withdrawals pay a watched one from own coins; addresses of all forms.
 */
import type { AlertBody } from "../../src/alerts/body-schema.ts";
import {
  CORE_PROGRAMS,
  type CoreNode,
  type CoreProgram,
  type CoreRpc,
  startCoreNode,
} from "../support/bitcoin/core-node.ts";
import { expectedCoinAlerts } from "./bitcoin-oracle.ts";
import { createBursts, type CrashChain, type CrashChainOptions } from "./crash-chain.ts";
import { alertKey } from "./oracle.ts";
import type { Random } from "./random.ts";

const FORMS = ["legacy", "p2sh-segwit", "bech32"] as const;
// A coinbase can be spent a hundred blocks later.
const MATURITY = 100;
const FUNDING_BLOCKS = 10;
// Nobody's: wallets that hold a coin of every block become slow.
const NOBODY = "raw(51)";

interface Wallet {
  readonly rpc: CoreRpc;
  readonly addresses: readonly string[];
}

/** Who pays whom: one payment gives an alert for each payee. */
interface Payment {
  readonly from: Wallet;
  readonly to: Wallet;
  readonly payeesMax: number;
  /** In satoshi. Thieves get more than they spend. */
  readonly amountMin: number;
}

export async function startBitcoinChain({ finalBehind, random, undo }: CrashChainOptions): Promise<CrashChain> {
  const program = CORE_PROGRAMS[0] as CoreProgram;
  const node = await startCoreNode(program);
  undo.push(() => node.remove());
  const [strangers, thieves, exchange] = [
    await createWallet(node, "strangers", 3),
    await createWallet(node, "thieves", 20),
    await createWallet(node, "exchange", 12),
  ];
  const scene = { watched: new Set(thieves.addresses), own: new Set(exchange.addresses) };
  const mine = (blocks: number) => node.rpc("generatetodescriptor", blocks, NOBODY);
  await node.mine(FUNDING_BLOCKS, strangers.addresses[0]);
  await mine(MATURITY);
  const pay = createPayments(random.fork());
  const theft: Payment = { from: strangers, to: thieves, payeesMax: 8, amountMin: 1_000_000 };
  const cashOut: Payment = { from: thieves, to: exchange, payeesMax: 6, amountMin: 100_000 };
  const withdrawal: Payment = { from: exchange, to: thieves, payeesMax: 1, amountMin: 10_000 };
  for (const to of [thieves, exchange]) await pay({ ...theft, to }, to.addresses.length);
  await mine(1);
  const height = () => node.rpc<number>("getblockcount");
  const startBlock = (await height()) + 1;

  async function mineOne(alerts: number): Promise<void> {
    for (let left = alerts; left > 0; ) {
      const payment = random.pick([theft, theft, cashOut, cashOut, withdrawal]);
      const payees = Math.min(left, random.between(1, payment.payeesMax));
      await pay(payment, payees);
      left -= payees;
    }
    if (random.chance(0.3)) await pay({ ...theft, to: strangers }, 1);
    await mine(1);
  }

  return {
    config: {
      nodeUrl: node.url,
      nodes: [{ name: "own-a", operator: "self", http: node.url, rpc: { cookieFile: node.cookieFile } }],
      start: startBlock,
      chainName: "utxo",
      chain: {
        id: program.chainId,
        family: "bitcoin",
        finality: { by: "depth", depth: finalBehind },
        windowDepth: Math.max(finalBehind, 100),
        native: { symbol: "COIN", decimals: 8, slip44: 1, dustBelow: "0.00001" },
      },
      watch: thieves.addresses.map((address) => ({ address })),
      own: exchange.addresses.map((address, index) => ({ address, customerRef: `cust-${index}` })),
    },
    ...createBursts(mineOne, random.fork()),
    async mine(blocks) {
      await mine(blocks);
      return height();
    },
    expected: (head) =>
      expectedCoinAlerts(
        node.rpc,
        { ...scene, assetId: `${program.chainId}/slip44:1` },
        { from: startBlock, to: head },
      ),
    keysOf: partiesOf,
  };
}

async function createWallet(node: CoreNode, name: string, addresses: number): Promise<Wallet> {
  const rpc = await node.addWallet(name);
  const made: string[] = [];
  for (let index = 0; index < addresses; index += 1)
    made.push(await rpc<string>("getnewaddress", "", FORMS[index % FORMS.length]));
  return { rpc, addresses: made };
}

/** Change goes to an address of the payer's that everybody knows. */
function createPayments(random: Random): (payment: Payment, payees: number) => Promise<void> {
  return async ({ from, to, amountMin }, payees) => {
    const outputs = random
      .shuffle(to.addresses)
      .slice(0, payees)
      .map((address) => ({ [address]: ((amountMin + random.between(0, amountMin)) / 1e8).toFixed(8) }));
    const change = { change_address: random.pick(from.addresses) };
    await from.rpc("send", outputs, null, "unset", null, change);
  };
}

/** Of an alert about coins: the own address that it names, else the first that pays, else those that are paid. */
function partiesOf({ own, transfers, transaction }: AlertBody["data"]): string[] {
  const party = own?.address ?? transfers.find(({ from }) => from !== null)?.from;
  const parties = party === undefined || party === null ? transfers.map(({ to }) => to) : [party];
  return parties.map((one) => alertKey(transaction.hash ?? "no transaction", one ?? "nobody"));
}
