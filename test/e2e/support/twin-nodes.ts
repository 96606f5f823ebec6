/** Real nodes that hold the same chain as long as they are given the same blocks, and forks of it when they are not. */
import { HDNodeWallet, keccak256, parseEther } from "ethers";
import { type Anvil, startAnvil } from "../../support/anvil.ts";

export interface Twins {
  readonly nodes: readonly Anvil[];
  /** Watched: every payment to it is a hit. */
  readonly watched: string;
  /** A signed payment to the watched address, of a sender of its own; its hash tells its alert. */
  pay(): Promise<Payment>;
  /** One block with these on the given nodes, else on all. The same block wherever the one before was the same. */
  mine(payments?: readonly Payment[], on?: readonly number[]): Promise<void>;
  head(index: number): Promise<number>;
  stop(): Promise<void>;
}

export interface Payment {
  readonly raw: string;
  readonly hash: string;
}

// anvil's and Hardhat's published development mnemonic.
const MNEMONIC = "test test test test test test test test test test test junk";
const ACCOUNTS = 400;
const WATCHED = "0x1234567890AbcdEF1234567890aBcdef12345678";

export async function startTwins(count: number): Promise<Twins> {
  const genesis = Math.floor(Date.now() / 1000) - 600;
  const options = { chainId: 1, timestamp: genesis, noMining: true, extraArgs: ["--accounts", String(ACCOUNTS)] };
  const nodes = await Promise.all(Array.from({ length: count }, () => startAnvil(options)));
  const root = HDNodeWallet.fromPhrase(MNEMONIC, undefined, "m/44'/60'/0'/0");
  let sender = 0;
  const node = (index: number) => nodes[index] as Anvil;
  const head = async (index: number) => Number(await node(index).rpc<string>("eth_blockNumber"));

  async function mineOn(index: number, raws: readonly string[]): Promise<void> {
    for (const raw of raws) await node(index).rpc("eth_sendRawTransaction", [raw]);
    await node(index).rpc("evm_mine", [genesis + 1 + (await head(index))]);
  }

  return {
    nodes,
    watched: WATCHED,
    async pay() {
      const wallet = root.deriveChild(sender);
      sender += 1;
      if (sender > ACCOUNTS) throw new Error("every account has paid");
      const raw = await wallet.signTransaction({
        type: 2,
        chainId: 1,
        nonce: 0,
        gasLimit: 21_000,
        maxFeePerGas: 500_000_000_000n,
        maxPriorityFeePerGas: 1n,
        to: WATCHED,
        value: parseEther("1") + BigInt(sender),
      });
      return { raw, hash: keccak256(raw) };
    },
    async mine(payments = [], on = nodes.map((_, index) => index)) {
      const raws = payments.map(({ raw }) => raw);
      await Promise.all(on.map((index) => mineOn(index, raws)));
    },
    head,
    stop: async () => void (await Promise.all(nodes.map((one) => one.stop()))),
  };
}
