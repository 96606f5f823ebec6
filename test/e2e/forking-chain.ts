/** A real node whose chain forks on command; dropped transactions come back elsewhere, later, or never. */
import { HDNodeWallet, parseEther } from "ethers";
import { type Anvil, startAnvil } from "../support/anvil.ts";
import type { Scene } from "./oracle.ts";
import type { Random } from "./random.ts";

export interface ForkingChain {
  readonly anvil: Anvil;
  readonly scene: Scene;
  /** Lower case, in the order in which they send: each once. */
  readonly wallets: readonly string[];
  /** How many have sent. */
  sent(): number;
  /** Mines that many blocks with one to three matching transfers each. */
  grow(blocks: number): Promise<void>;
  /** Replaces the last `depth` blocks. What was in them: a third in the new ones, a third waits for `grow`, a third is gone. */
  fork(depth: number): Promise<void>;
  head(): Promise<number>;
}

// anvil's and Hardhat's published development mnemonic.
const MNEMONIC = "test test test test test test test test test test test junk";
const WALLETS = 600;

export interface ForkingOptions {
  /** Addresses that are paid often, and own ones. */
  readonly paid?: number;
  readonly own?: number;
  /** How many wallets there are to send, and how many send in a block at most. */
  readonly wallets?: number;
  readonly perBlock?: number;
  /** `finalized` is twice that many blocks behind the head. */
  readonly slotsInAnEpoch?: number;
  /** Whom a wallet pays; absent: a thief one of ours, everybody else one that is paid often. */
  readonly recipientOf?: (of: {
    paid: readonly string[];
    own: readonly string[];
    wallets: readonly string[];
  }) => string;
}

export async function createForkingChain(random: Random, options: ForkingOptions = {}): Promise<ForkingChain> {
  const { slotsInAnEpoch } = options;
  const anvil = await startAnvil({ chainId: 1, noMining: true, ...(slotsInAnEpoch ? { slotsInAnEpoch } : {}) });
  const root = HDNodeWallet.fromPhrase(MNEMONIC, undefined, "m/44'/60'/1'/0");
  const watched = Array.from({ length: options.paid ?? 8 }, () => random.address());
  const own = Array.from({ length: options.own ?? 4 }, () => random.address());
  // A wallet sends once: no transaction waits for another, whatever is dropped.
  const wallets = Array.from({ length: options.wallets ?? WALLETS }, (_, index) => root.deriveChild(index));
  // Some senders are watched themselves: their victims' money goes to our deposit addresses.
  const senders = wallets.map(({ address }) => address.toLowerCase());
  const thieves = senders.filter((_, index) => index % 3 === 0);
  // Before any block: a fork takes back balances, too.
  const funds = `0x${parseEther("1000").toString(16)}`;
  await Promise.all(wallets.map(({ address }) => anvil.rpc("anvil_setBalance", [address, funds])));
  await anvil.mine();
  let nextWallet = 0;
  let toSendAgain: string[] = [];

  async function signedTransfer(): Promise<string> {
    const wallet = wallets[nextWallet];
    if (wallet === undefined) throw new Error("all wallets have sent");
    const steals = nextWallet % 3 === 0;
    nextWallet += 1;
    const to = options.recipientOf?.({ paid: watched, own, wallets: senders }) ?? random.pick(steals ? own : watched);
    return wallet.signTransaction({
      type: 2,
      chainId: 1,
      nonce: 0,
      gasLimit: 21_000,
      maxFeePerGas: 500_000_000_000n,
      maxPriorityFeePerGas: 1n,
      to,
      value: parseEther("1") + BigInt(random.between(1, 2 ** 31)),
    });
  }

  return {
    anvil,
    wallets: senders,
    sent: () => nextWallet,
    scene: {
      watched: new Map([...watched, ...thieves].map((address) => [address, { toOnly: false, sanctioned: false }])),
      own: new Set(own),
      listedTokens: new Map(),
      nativeDustBelow: parseEther("0.0001"),
    },
    async grow(blocks) {
      for (let mined = 0; mined < blocks; mined += 1) {
        const again = toSendAgain.splice(0, random.between(0, 3));
        const fresh = await Promise.all(
          Array.from({ length: random.between(1, options.perBlock ?? 3) }, signedTransfer),
        );
        for (const raw of [...again, ...fresh]) await anvil.rpc("eth_sendRawTransaction", [raw]);
        await anvil.mine();
      }
    },
    async fork(depth) {
      const head = Number(await anvil.rpc<string>("eth_blockNumber"));
      const dropped: string[] = [];
      for (let number = head - depth + 1; number <= head; number += 1) dropped.push(...(await rawsOf(anvil, number)));
      const inNewBlocks: [string, number][] = [];
      const later: string[] = [];
      for (const raw of dropped) {
        const lot = random.next();
        if (lot < 1 / 3) inNewBlocks.push([raw, random.between(0, depth - 1)]);
        else if (lot < 2 / 3) later.push(raw);
      }
      await anvil.rpc("anvil_reorg", [depth, inNewBlocks]);
      toSendAgain = [...toSendAgain, ...random.shuffle(later)];
    },
    head: async () => Number(await anvil.rpc<string>("eth_blockNumber")),
  };
}

async function rawsOf(anvil: Anvil, number: number): Promise<string[]> {
  const block = await anvil.rpc<{ transactions: string[] }>("eth_getBlockByNumber", [
    `0x${number.toString(16)}`,
    false,
  ]);
  return Promise.all(block.transactions.map((hash) => anvil.rpc<string>("eth_getRawTransactionByHash", [hash])));
}
