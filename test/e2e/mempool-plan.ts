/**
 * Signed transactions that wait in a real node's mempool, and what is to become of each: every sender has a key of its
 * own and sends one transaction, so that none waits for another.
 */
import { getCreateAddress, id, Interface, Wallet } from "ethers";
import type { Anvil } from "../support/anvil.ts";
import type { Compiled } from "./contracts.ts";
import type { Random } from "./random.ts";

/** `pay`: a watched wallet pays us. `token`: in tokens. `fund`: a stranger pays a watched wallet. `create`: a contract. */
export type Kind = "pay" | "token" | "fund" | "create";
/** When it is replaced: while the daemon runs, while it is down, or while it is down and straight in a block. */
export type Fate = "mined" | "fails" | "dropped" | "replacedLive" | "replacedDown" | "replacedMined";

export interface Planned {
  readonly wallet: Wallet;
  readonly kind: Kind;
  readonly fate: Fate;
  /** The replacement is another movement that is watched; false: it cancels (nothing, to oneself). */
  readonly again: boolean;
  hash: string;
  raw: string;
  /** Hash of what replaced it. */
  by: string | null;
}

export interface Scene {
  readonly anvil: Anvil;
  readonly deposit: string;
  /** Watched, and only ever paid to. */
  readonly vault: string;
  readonly token: string;
  readonly planned: readonly Planned[];
}

const ETHER = 10n ** 18n;
const GWEI = 10n ** 9n;
const TOKEN = new Interface(["function transfer(address to, uint256 value) returns (bool)"]);
// Returns one byte of code: STOP.
const INIT_CODE = "0x600160005260016000f3";

export async function createScene(
  anvil: Anvil,
  { count, random, token }: { count: number; random: Random; token: Compiled },
): Promise<Scene> {
  const deposit = new Wallet(id("deposit")).address;
  const vault = new Wallet(id("vault")).address;
  const wallets = Array.from({ length: count }, (_, index) => new Wallet(id(`sender ${random.seed} ${index}`)));
  const fates = random.shuffle(fatesFor(count));
  const planned = wallets.map((wallet, index): Planned => {
    const fate = fates[index] ?? "mined";
    const kind = fate === "fails" ? "token" : random.pick<Kind>(["pay", "pay", "token", "fund", "create"]);
    return { wallet, kind, fate, again: random.chance(0.7), hash: "", raw: "", by: null };
  });
  for (const { address } of wallets) await anvil.rpc("anvil_setBalance", [address, hex(100n * ETHER)]);
  return { anvil, deposit, vault, planned, token: await deployToken(anvil, token, planned) };
}

// A restart more is more time than a run beside every change may take.
const DOWN_FROM = 40;

/** 30 % replaced, 10 % dropped, 5 % mined without doing what they said; the rest is mined. Small runs: none replaced while down. */
function fatesFor(count: number): Fate[] {
  const share = (part: number) => Math.round(count * part);
  const live = share(0.1);
  const down = count < DOWN_FROM ? 0 : live;
  return [
    ...Array<Fate>(live).fill("replacedLive"),
    ...Array<Fate>(down).fill("replacedDown"),
    ...Array<Fate>(share(0.3) - live - down).fill("replacedMined"),
    ...Array<Fate>(share(0.1)).fill("dropped"),
    ...Array<Fate>(share(0.05)).fill("fails"),
  ];
}

/** Senders that are to fail have none of it. */
async function deployToken(anvil: Anvil, token: Compiled, planned: readonly Planned[]): Promise<string> {
  const owner = new Wallet(id("owner"));
  await anvil.rpc("anvil_setBalance", [owner.address, hex(10_000n * ETHER)]);
  const code = token.bytecode + token.abi.encodeDeploy([6]).slice(2);
  const first = Number(await anvil.rpc<string>("eth_getTransactionCount", [owner.address, "latest"]));
  let nonce = first;
  const send = async (to: string | null, data: string) => {
    const fees = { maxFeePerGas: 100n * GWEI, maxPriorityFeePerGas: GWEI };
    const raw = await owner.signTransaction({ chainId: 1, type: 2, nonce, to, data, gasLimit: 1_000_000, ...fees });
    nonce += 1;
    await anvil.rpc("eth_sendRawTransaction", [raw]);
  };
  await send(null, code);
  const address = getCreateAddress({ from: owner.address, nonce: first });
  for (const { wallet, kind, fate } of planned)
    if (kind === "token" && fate !== "fails")
      await send(address, token.abi.encodeFunctionData("mint", [wallet.address, 1_000_000_000n]));
  while (Number((await anvil.rpc<{ pending: string }>("txpool_status")).pending) > 0) await anvil.mine();
  // The daemon begins at the latest block: what was handed out here is none of its business.
  await anvil.mine();
  return address;
}

/** Whom the daemon watches. */
export function watchedOf(scenes: readonly Scene[]): { address: string; sanctioned: true }[] {
  const addresses = scenes.flatMap(({ planned, vault }) => [
    vault,
    ...planned.filter(({ kind }) => kind !== "fund").map(({ wallet }) => wallet.address),
  ]);
  return [...new Set(addresses)].map((address) => ({ address, sanctioned: true }));
}

/** Sends what was planned, oldest first. */
export async function sendOriginals(scene: Scene): Promise<void> {
  for (const one of scene.planned) {
    one.raw = await sign(scene, one, { round: 1 });
    one.hash = await scene.anvil.rpc<string>("eth_sendRawTransaction", [one.raw]);
  }
}

/** The same sender and nonce again, for a higher fee. */
export async function replaceThose(scene: Scene, fate: Fate): Promise<void> {
  for (const one of scene.planned.filter((each) => each.fate === fate)) {
    one.raw = await sign(scene, one, { round: 2 });
    one.by = await scene.anvil.rpc<string>("eth_sendRawTransaction", [one.raw]);
  }
}

export async function dropThose({ anvil, planned }: Scene): Promise<void> {
  for (const { hash } of planned.filter(({ fate }) => fate === "dropped"))
    await anvil.rpc("anvil_dropTransaction", [hash]);
}

/** Somebody else's transaction: a pool that lives. */
export async function sendStranger(anvil: Anvil, nth: number): Promise<void> {
  const wallet = new Wallet(id(`stranger ${nth}`));
  await anvil.rpc("anvil_setBalance", [wallet.address, hex(ETHER)]);
  const fees = { maxFeePerGas: 20n * GWEI, maxPriorityFeePerGas: GWEI };
  const raw = await wallet.signTransaction({
    chainId: 1,
    type: 2,
    nonce: 0,
    to: wallet.address,
    gasLimit: 21_000,
    ...fees,
  });
  await anvil.rpc("eth_sendRawTransaction", [raw]);
}

function sign(scene: Scene, { wallet, kind, again }: Planned, { round }: { round: 1 | 2 }): Promise<string> {
  const fee = (round === 1 ? 20n : 40n) * GWEI;
  const common = { chainId: 1, type: 2, nonce: 0, gasLimit: 100_000, maxFeePerGas: fee, maxPriorityFeePerGas: fee };
  if (round === 2 && !again) return wallet.signTransaction({ ...common, to: wallet.address });
  return wallet.signTransaction({ ...common, ...contentOf(scene, kind, round) });
}

function contentOf(
  { deposit, vault, token }: Scene,
  kind: Kind,
  round: 1 | 2,
): { to: string | null; value?: bigint; data?: string } {
  const amount = BigInt(round);
  switch (kind) {
    case "pay":
      return { to: deposit, value: amount * ETHER };
    case "fund":
      return { to: vault, value: amount * ETHER };
    case "token":
      return { to: token, data: TOKEN.encodeFunctionData("transfer", [deposit, amount * 1_000_000n]) };
    case "create":
      return { to: null, data: INIT_CODE + "00".repeat(round) };
  }
}

function hex(amount: bigint): string {
  return `0x${amount.toString(16)}`;
}
