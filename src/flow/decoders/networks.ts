/** How bridges number and name chains, for the chains that heistwatch knows. Any other is told in the bridge's own words. */
import type { ChainId } from "../../types/chain.ts";
import type { BridgePlace } from "../../types/bridge-event.ts";

export const BITCOIN: ChainId = "bip122:000000000019d6689c085ae165831e93";
const [ETHEREUM, OPTIMISM, BSC, POLYGON, BASE, ARBITRUM, AVALANCHE] = [1, 10, 56, 137, 8_453, 42_161, 43_114].map(
  (id): ChainId => `eip155:${id}`,
) as [ChainId, ChainId, ChainId, ChainId, ChainId, ChainId, ChainId];
// CAIP-2: the first 32 characters of the genesis hash.
const SOLANA: ChainId = "solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp";

/** Endpoint ids, https://docs.layerzero.network/v2/deployments/deployed-contracts, read 2026-11-23. */
export const LAYERZERO: ReadonlyMap<string, ChainId> = new Map([
  ["30101", ETHEREUM],
  ["30102", BSC],
  ["30106", AVALANCHE],
  ["30109", POLYGON],
  ["30110", ARBITRUM],
  ["30111", OPTIMISM],
  ["30184", BASE],
]);

/** https://wormhole.com/docs/products/reference/chain-ids, read 2026-11-23. */
export const WORMHOLE: ReadonlyMap<string, ChainId> = new Map([
  ["1", SOLANA],
  ["2", ETHEREUM],
  ["4", BSC],
  ["5", POLYGON],
  ["6", AVALANCHE],
  ["23", ARBITRUM],
  ["24", OPTIMISM],
  ["30", BASE],
]);

/** https://docs.debridge.com/home/architecture/supported-chains, read 2026-11-23: EVM chains by their own id. */
export const DEBRIDGE: ReadonlyMap<string, ChainId> = new Map([
  ...[ETHEREUM, OPTIMISM, BSC, POLYGON, BASE, ARBITRUM, AVALANCHE].map(
    (id) => [id.slice("eip155:".length), id] as const,
  ),
  ["7565164", SOLANA],
]);

/** THORChain names chains by their coin: the asset notation of its developer documentation. */
export const THORCHAIN: ReadonlyMap<string, ChainId> = new Map([
  ["BTC", BITCOIN],
  ["ETH", ETHEREUM],
  ["BSC", BSC],
  ["AVAX", AVALANCHE],
  ["BASE", BASE],
]);

/** Chainflip's `ForeignChain`; the numbers are of its open source and still to be seen in a recorded transaction. */
export const CHAINFLIP: ReadonlyMap<string, ChainId> = new Map([
  ["1", ETHEREUM],
  ["3", BITCOIN],
  ["4", ARBITRUM],
  ["5", SOLANA],
]);

export function placeOn(
  networks: ReadonlyMap<string, ChainId>,
  network: string | bigint | number,
  address: string | null,
): BridgePlace {
  const name = String(network);
  return { network: name, chain: networks.get(name) ?? null, address };
}
