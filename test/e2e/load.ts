/** Traffic on a real node: matching transfers among noise, several in a block, mined in bursts. */
import type { Anvil } from "../support/anvil.ts";
import type { Scene } from "./oracle.ts";
import type { Random } from "./random.ts";

export interface LoadAccounts {
  /** Funded strangers. */
  readonly senders: readonly string[];
  readonly watched: readonly string[];
  readonly own: readonly string[];
}

export interface Load {
  readonly accounts: LoadAccounts;
  readonly scene: Scene;
  /** Mines that many matching transfers in blocks of random size, with random pauses. Calls come one after the other. */
  burst(transfers: number, options?: { pauseMsMax?: number; perBlockMax?: number }): Promise<void>;
  /** Matching transfers mined so far. */
  sent(): number;
}

const ETHER = 10n ** 18n;
const GWEI = 10n ** 9n;
const NATIVE_DUST_BELOW = ETHER / 10_000n;

export function createAccounts(random: Random): LoadAccounts {
  const addresses = (count: number) => Array.from({ length: count }, () => random.address());
  return { senders: addresses(60), watched: addresses(20), own: addresses(12) };
}

export function sceneOf({ watched, own }: LoadAccounts): Scene {
  return {
    watched: new Map(watched.map((address) => [address, { toOnly: false, sanctioned: false }])),
    own: new Set(own),
    listedTokens: new Map(),
    nativeDustBelow: NATIVE_DUST_BELOW,
  };
}

/** The node must run with `--auto-impersonate` and mine only when told to. */
export async function createLoad(anvil: Anvil, accounts: LoadAccounts, random: Random): Promise<Load> {
  const { senders, watched, own } = accounts;
  const nonces = new Map<string, number>();
  let sent = 0;
  const funds = hex(10n ** 9n * ETHER);
  await Promise.all([...senders, ...watched].map((address) => anvil.rpc("anvil_setBalance", [address, funds])));

  function transaction(from: string, to: string) {
    const nonce = nonces.get(from) ?? 0;
    nonces.set(from, nonce + 1);
    // Odd digits down to the last wei, and always above dust.
    const value =
      NATIVE_DUST_BELOW + BigInt(random.between(0, 2 ** 31)) * GWEI + BigInt(random.between(0, 999_999_999));
    return { from, to, nonce: hex(nonce), value: hex(value), gas: hex(21_000), maxFeePerGas: hex(500n * GWEI) };
  }

  function next(): ReturnType<typeof transaction> {
    const stranger = random.pick(senders);
    if (random.chance(0.6)) return transaction(stranger, random.pick(watched));
    return transaction(random.pick(watched), random.pick(own));
  }

  return {
    accounts,
    scene: sceneOf(accounts),
    sent: () => sent,
    async burst(transfers, { pauseMsMax = 120, perBlockMax = 40 } = {}) {
      for (let left = transfers; left > 0; ) {
        const count = Math.min(left, random.between(1, perBlockMax));
        const matching = Array.from({ length: count }, next);
        const noise = random.chance(0.3) ? [transaction(random.pick(senders), random.pick(senders))] : [];
        await Promise.all([...matching, ...noise].map((one) => anvil.rpc("eth_sendTransaction", [one])));
        await anvil.mine();
        left -= count;
        sent += count;
        await new Promise((resolve) => setTimeout(resolve, random.between(0, pauseMsMax)));
      }
    },
  };
}

function hex(value: bigint | number): string {
  return `0x${value.toString(16)}`;
}
