/** Ethereum under a crash run: matching transfers among noise on anvil, several in a block. */
import { startAnvil } from "../support/anvil.ts";
import { createBursts, type CrashChain, type CrashChainOptions } from "./crash-chain.ts";
import { accountKeys } from "./ledger.ts";
import { expectedAlerts, type Scene } from "./oracle.ts";
import type { Random } from "./random.ts";

const ETHER = 10n ** 18n;
const GWEI = 10n ** 9n;
const NATIVE_DUST_BELOW = ETHER / 10_000n;

interface Accounts {
  /** Funded strangers. */
  readonly senders: readonly string[];
  readonly watched: readonly string[];
  readonly own: readonly string[];
}

export async function startEthereumChain({ finalBehind, random, undo }: CrashChainOptions): Promise<CrashChain> {
  const anvil = await startAnvil({
    chainId: 1,
    noMining: true,
    slotsInAnEpoch: finalBehind / 2,
    extraArgs: ["--auto-impersonate"],
  });
  undo.push(() => anvil.stop());
  const accounts = createAccounts(random);
  const { senders, watched, own } = accounts;
  const scene = sceneOf(accounts);
  const traffic = createTraffic(accounts, random.fork());
  const funds = hex(10n ** 9n * ETHER);
  await Promise.all([...senders, ...watched].map((address) => anvil.rpc("anvil_setBalance", [address, funds])));
  const startBlock = (await anvil.mine()) + 1;

  async function mineOne(alerts: number): Promise<void> {
    const transactions = traffic(alerts);
    await Promise.all(transactions.map((one) => anvil.rpc("eth_sendTransaction", [one])));
    await anvil.mine();
  }

  return {
    config: {
      nodeUrl: anvil.url,
      nodeWsUrl: anvil.wsUrl,
      proofs: "prefer",
      start: startBlock,
      watch: watched.map((address) => ({ address })),
      own: own.map((address, index) => ({ address, customerRef: `cust-${index}` })),
    },
    ...createBursts(mineOne, random.fork()),
    mine: (blocks) => anvil.mine(blocks),
    expected: (head) => expectedAlerts(anvil.rpc, scene, { from: startBlock, to: head }),
    keysOf: accountKeys(scene),
  };
}

function createAccounts(random: Random): Accounts {
  const addresses = (count: number) => Array.from({ length: count }, () => random.address());
  return { senders: addresses(60), watched: addresses(20), own: addresses(12) };
}

function sceneOf({ watched, own }: Accounts): Scene {
  return {
    watched: new Map(watched.map((address) => [address, { toOnly: false, sanctioned: false }])),
    own: new Set(own),
    listedTokens: new Map(),
    nativeDustBelow: NATIVE_DUST_BELOW,
  };
}

/** That many matching transactions, each an alert, and at times one that concerns nobody. */
function createTraffic({ senders, watched, own }: Accounts, random: Random): (matching: number) => object[] {
  const nonces = new Map<string, number>();

  function transaction(from: string, to: string): object {
    const nonce = nonces.get(from) ?? 0;
    nonces.set(from, nonce + 1);
    // Odd digits down to the last wei, and always above dust.
    const value =
      NATIVE_DUST_BELOW + BigInt(random.between(0, 2 ** 31)) * GWEI + BigInt(random.between(0, 999_999_999));
    return { from, to, nonce: hex(nonce), value: hex(value), gas: hex(21_000), maxFeePerGas: hex(500n * GWEI) };
  }

  function next(): object {
    const stranger = random.pick(senders);
    if (random.chance(0.6)) return transaction(stranger, random.pick(watched));
    return transaction(random.pick(watched), random.pick(own));
  }

  return (matching) => {
    const told = Array.from({ length: matching }, next);
    return random.chance(0.3) ? [...told, transaction(random.pick(senders), random.pick(senders))] : told;
  };
}

function hex(value: bigint | number): string {
  return `0x${value.toString(16)}`;
}
