/** What differs between networks of the Bitcoin family, as data. Sources: Bitcoin Core 31.0 and Litecoin Core 0.21.2, chainparams.cpp and pow.cpp. */
import type { BlockRef, ChainId } from "../../types/chain.ts";

export interface Network {
  /** CAIP-2: `bip122:` and the first 32 hex digits of the genesis hash. */
  readonly chainId: ChainId;
  readonly genesisHash: string;
  /** The first block that no chain shares which split off and kept the genesis block (Bitcoin Cash and what became of it). */
  readonly splitAt?: BlockRef;
  /** SLIP-44 coin type; 1 on every test network. */
  readonly slip44: number;
  readonly pubKeyHashVersion: number;
  /** The first is written, all are read. */
  readonly scriptHashVersions: readonly [number, ...number[]];
  /** Human-readable part of Bech32 addresses. */
  readonly bech32Prefix: string;
  readonly proofOfWork: "sha256d" | "scrypt";
  /** The easiest target a block may have. */
  readonly targetMax: bigint;
  /**
   * How often the target changes, and how long that many blocks should take; between two changes all blocks have the same.
   * Null: not so, and nothing is checked but `targetMax`.
   */
  readonly retarget: { readonly blocks: number; readonly seconds: number } | null;
  /** No amount and no sum of amounts is above this; below 2^53. */
  readonly amountMax: number;
  readonly firstSubsidy: number;
  readonly halvingBlocks: number;
  /** From this height on the coinbase begins with the height (BIP 34). */
  readonly heightInCoinbaseFrom: number;
  /** From this height on witnesses are committed to (BIP 141), and below it there are none. */
  readonly witnessFrom: number;
}

const COIN = 1e8;
const TEST_VERSIONS = { pubKeyHashVersion: 0x6f, scriptHashVersions: [0xc4] } as const;

const TWO_WEEKS = { blocks: 2_016, seconds: 14 * 24 * 3_600 } as const;

const BITCOIN = {
  slip44: 1,
  ...TEST_VERSIONS,
  proofOfWork: "sha256d",
  targetMax: (1n << 224n) - 1n,
  retarget: TWO_WEEKS,
  amountMax: 21e6 * COIN,
  firstSubsidy: 50 * COIN,
  halvingBlocks: 210_000,
  heightInCoinbaseFrom: 1,
  witnessFrom: 1,
} as const;

const REGTEST = {
  ...BITCOIN,
  targetMax: (1n << 255n) - 1n,
  // Every block has the easiest target (fPowNoRetargeting).
  retarget: null,
  halvingBlocks: 150,
  witnessFrom: 0,
} as const;

export const NETWORKS: Readonly<Record<"mainnet" | "testnet4" | "signet" | "regtest" | "litecoinRegtest", Network>> = {
  mainnet: {
    ...BITCOIN,
    ...identity("000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f"),
    splitAt: { number: 478_559, hash: "00000000000000000019f112ec0a9982926f1258cdcc558dd7c3b7e5dc7fa148" },
    slip44: 0,
    pubKeyHashVersion: 0x00,
    scriptHashVersions: [0x05],
    bech32Prefix: "bc",
    heightInCoinbaseFrom: 227_931,
    witnessFrom: 481_824,
  },
  testnet4: {
    ...BITCOIN,
    // Whoever waits for 20 minutes may use the easiest target (fPowAllowMinDifficultyBlocks).
    retarget: null,
    ...identity("00000000da84f2bafbbc53dee25a72ae507ff4914b867c565be350b0da8bf043"),
    bech32Prefix: "tb",
  },
  signet: {
    ...BITCOIN,
    ...identity("00000008819873e925422c1ff0f99f7cc9bbb232af63a077a480a3633bee1ef6"),
    bech32Prefix: "tb",
    targetMax: 0x377aen << 216n,
  },
  regtest: {
    ...REGTEST,
    ...identity("0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206"),
    bech32Prefix: "bcrt",
  },
  litecoinRegtest: {
    ...REGTEST,
    ...identity("530827f38f93b43ed12af0b3ad25a288dc02ed74d6d7857862df51fc56c416f9"),
    // Addresses are written with the newer version; the older one is Bitcoin's.
    scriptHashVersions: [0x3a, 0xc4],
    bech32Prefix: "rltc",
    proofOfWork: "scrypt",
    amountMax: 84e6 * COIN,
    heightInCoinbaseFrom: 500,
  },
};

function identity(genesisHash: string): { chainId: ChainId; genesisHash: string } {
  return { chainId: `bip122:${genesisHash.slice(0, 32)}`, genesisHash };
}

const BY_CHAIN = new Map(Object.values(NETWORKS).map((network) => [network.chainId, network]));

/** Null: no network that we know. */
export function networkOf(chain: ChainId): Network | null {
  return BY_CHAIN.get(chain) ?? null;
}

/** New coins of a block at this height, in base units. */
export function subsidyAt(height: number, network: Network): number {
  return Math.floor(network.firstSubsidy / 2 ** Math.floor(height / network.halvingBlocks));
}
