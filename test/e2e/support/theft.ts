/** A chain where a watched thief pays into one of our deposit addresses: each transfer is one critical alert. */
import { type Anvil, type AnvilOptions, startAnvil } from "../../support/anvil.ts";
import type { DaemonConfig } from "../../support/daemon.ts";
import type { ReceivedRequest } from "../../support/receiver.ts";

// Accounts that anvil holds the keys of.
export const THIEF = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8";
export const DEPOSIT = "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC";
/** Watched on one researcher's word: its transfers to strangers are alerts, but not severe ones. */
export const SUSPECT = "0x90F79bf6EB2c4f870365E785982E1f101E93b906";
export const STRANGER = "0x15d34AAf54267DB7D7c367839AAf71A00a2C6A65";

export const WATCHING: Pick<DaemonConfig, "watch" | "own"> = {
  watch: [
    { address: THIEF, sanctioned: true, label: "thief" },
    { address: SUSPECT, label: "suspect" },
  ],
  own: [{ address: DEPOSIT, customerRef: "customer-17" }],
};

/** Ethereum's chain id: the watchlist of `writeDaemonConfig` is for eip155:1. */
export function startEthereum(options: AnvilOptions = {}): Promise<Anvil> {
  return startAnvil({ chainId: 1, ...options });
}

/** That many transfers in one block; returns the hashes. */
export async function steal(node: Anvil, count = 1, of: { from?: string; to?: string } = {}): Promise<string[]> {
  await node.rpc("evm_setAutomine", [false]);
  const hashes: string[] = [];
  for (let index = 0; index < count; index += 1) {
    const transaction = { from: of.from ?? THIEF, to: of.to ?? DEPOSIT, value: "0x2386f26fc10000", gas: "0x5208" };
    hashes.push(await node.rpc<string>("eth_sendTransaction", [transaction]));
  }
  await node.mine();
  await node.rpc("evm_setAutomine", [true]);
  return hashes;
}

interface AlertBody {
  readonly type: string;
  readonly data: {
    readonly alertId?: string;
    readonly subject?: string;
    readonly summary: string;
    readonly severity: string;
  };
}

export function bodyOf(request: ReceivedRequest): AlertBody {
  return request.body as AlertBody;
}

/** Requests by `webhook-id`, in order of arrival. */
export function byWebhookId(requests: readonly ReceivedRequest[]): Map<string, ReceivedRequest[]> {
  return Map.groupBy(requests, (request) => request.webhookId);
}

export function typesOf(requests: readonly ReceivedRequest[]): string[] {
  return requests.map((request) => bodyOf(request).type);
}
