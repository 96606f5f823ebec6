import { createHash } from "node:crypto";
import { describe, expect, test } from "@jest/globals";
import * as bitcoinjs from "bitcoinjs-lib";
import { addressOf, normalizeBitcoinAddress, targetOf } from "../../../../src/chains/bitcoin/address.ts";
import { NETWORKS } from "../../../../src/chains/bitcoin/networks.ts";
import { kindOf } from "../../../../src/chains/bitcoin/scripts.ts";
import { actors, ledger } from "./fixtures.ts";

const { mainnet, testnet4, regtest, litecoinRegtest } = NETWORKS;

function bytes(hex: string): Buffer {
  return Buffer.from(hex, "hex");
}

/** Valid addresses and their scripts: BIP 173 and BIP 350, test vectors; Bitcoin Core's P2A. */
const VALID: [string, keyof typeof NETWORKS, string][] = [
  ["BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4", "mainnet", "0014751e76e8199196d454941c45d1b3a323f1433bd6"],
  [
    "tb1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3q0sl5k7",
    "testnet4",
    "00201863143c14c5166804bd19203356da136c985678cd4d27a1b8c6329604903262",
  ],
  [
    "bc1pw508d6qejxtdg4y5r3zarvary0c5xw7kw508d6qejxtdg4y5r3zarvary0c5xw7kt5nd6y",
    "mainnet",
    "5128751e76e8199196d454941c45d1b3a323f1433bd6751e76e8199196d454941c45d1b3a323f1433bd6",
  ],
  ["BC1SW50QGDZ25J", "mainnet", "6002751e"],
  ["bc1zw508d6qejxtdg4y5r3zarvaryvaxxpcs", "mainnet", "5210751e76e8199196d454941c45d1b3a323"],
  [
    "tb1pqqqqp399et2xygdj5xreqhjjvcmzhxw4aywxecjdzew6hylgvsesf3hn0c",
    "signet",
    "5120000000c4a5cad46221b2a187905e5266362b99d5e91c6ce24d165dab93e86433",
  ],
  [
    "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0",
    "mainnet",
    "512079be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798",
  ],
  ["bc1pfeessrawgf", "mainnet", "51024e73"],
  ["1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", "mainnet", "76a91462e907b15cbf27d5425399ebf6f0fb50ebb88f1888ac"],
];

describe("valid", () => {
  test.each(VALID)("%s", (text, name, script) => {
    const network = NETWORKS[name];
    expect(targetOf(text, network)).toEqual({ script: Uint8Array.from(bytes(script)) });
    const canonical = text === text.toUpperCase() ? text.toLowerCase() : text;
    expect(addressOf(bytes(script), network)).toBe(canonical);
    expect(normalizeBitcoinAddress(text, network)).toBe(canonical);
  });

  test("the address that was stolen from", () => {
    const target = targetOf("3P8MfdM4pULv7ozdQvfwAqNF29zAjmnUYD", mainnet);
    const script = (target as { script: Uint8Array }).script;
    expect(kindOf(script, 0, script.length)).toBe("p2sh");
    expect(addressOf(script, mainnet)).toBe("3P8MfdM4pULv7ozdQvfwAqNF29zAjmnUYD");
  });

  test("a script that has an address is written as one, every other as itself", () => {
    const p2pk = `21${"02".repeat(33)}ac`;
    expect(normalizeBitcoinAddress(`script:${p2pk.toUpperCase()}`, mainnet)).toBe(`script:${p2pk}`);
    expect(normalizeBitcoinAddress("script:51024e73", regtest)).toBe("bcrt1pfeesnyr2tx");
    expect(normalizeBitcoinAddress(`script:0014${"00".repeat(20)}`, mainnet)).toMatch(/^bc1q/);
    // Version 0 with another length than 20 and 32 cannot be spent and has no address.
    expect(normalizeBitcoinAddress(`script:0010${"00".repeat(16)}`, mainnet)).toBe(`script:0010${"00".repeat(16)}`);
    expect(normalizeBitcoinAddress("script:", mainnet)).toBe("script:");
  });

  test("a script of more than 200 bytes is written as its hash", () => {
    const [longest, longer] = ["51".repeat(200), "51".repeat(201)];
    const hashed = `script-sha256:${createHash("sha256").update(bytes(longer)).digest("hex")}`;
    expect(normalizeBitcoinAddress(`script:${longest}`, mainnet)).toBe(`script:${longest}`);
    expect(normalizeBitcoinAddress(`script:${longer}`, mainnet)).toBe(hashed);
    expect(
      normalizeBitcoinAddress(
        hashed.replace(/[a-f]/g, (one) => one.toUpperCase()),
        mainnet,
      ),
    ).toBeNull();
    expect(normalizeBitcoinAddress(hashed, mainnet)).toBe(hashed);
  });

  test("Litecoin reads the older version of P2SH and writes the newer", () => {
    const script = bytes(`a914${"33".repeat(20)}87`);
    const older = addressOf(script, regtest);
    expect(normalizeBitcoinAddress(older, litecoinRegtest)).toBe(addressOf(script, litecoinRegtest));
    expect(addressOf(script, litecoinRegtest)).toMatch(/^Q/);
    expect(normalizeBitcoinAddress(addressOf(script, litecoinRegtest), regtest)).toBeNull();
    expect(addressOf(bytes(`0014${"33".repeat(20)}`), litecoinRegtest)).toMatch(/^rltc1q/);
  });
});

/** BIP 173, BIP 350: invalid; and what looks like an address and is none. */
const INVALID: [string, keyof typeof NETWORKS][] = [
  ["tc1qw508d6qejxtdg4y5r3zarvary0c5xw7kg3g4ty", "mainnet"],
  ["bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5", "mainnet"],
  ["BC13W508D6QEJXTDG4Y5R3ZARVARY0C5XW7KN40WF2", "mainnet"],
  ["bc1rw5uspcuh", "mainnet"],
  ["BC1QR508D6QEJXTDG4Y5R3ZARVARYV98GJ9P", "mainnet"],
  ["tb1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3q0sL5k7", "testnet4"],
  ["bc1zw508d6qejxtdg4y5r3zarvaryvqyzf3du", "mainnet"],
  ["bc1gmk9yu", "mainnet"],
  ["bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqh2y7hd", "mainnet"],
  ["tb1q0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vq24jc47", "testnet4"],
  ["bc1p38j9r5y49hruaue7wxjce0updqjuyyx0kh56v8s25huc6995vvpql3jow4", "mainnet"],
  ["bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", "testnet4"],
  ["1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb", "mainnet"],
  ["1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", "regtest"],
  ["1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfN0", "mainnet"],
  ["", "mainnet"],
  ["0x000000000000000000000000000000000000dEaD", "mainnet"],
  ["script:6a0568656c6c6f", "mainnet"],
  ["script:5", "mainnet"],
  ["script:zz", "mainnet"],
  ["script-sha256:00", "mainnet"],
  ["script-sha256:5151", "mainnet"],
  [" 1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", "mainnet"],
];

test.each(INVALID)("invalid: %s on %s", (text, name) => {
  expect(normalizeBitcoinAddress(text, NETWORKS[name])).toBeNull();
});

test("every recorded script has a canonical text, which stands for that script", () => {
  for (const { spk } of [...ledger(), ...actors()]) {
    const text = addressOf(bytes(spk), regtest);
    if (spk.startsWith("6a")) expect(normalizeBitcoinAddress(text, regtest)).toBe(spk.length > 400 ? text : null);
    else {
      expect(normalizeBitcoinAddress(text, regtest)).toBe(text);
      expect(targetOf(text, regtest)).toEqual({ script: expect.anything() });
    }
  }
});

test("an independent library writes the same addresses", () => {
  const random = (seed: number, length: number) =>
    Buffer.concat([1, 2].map((part) => createHash("sha256").update(`${seed} ${part}`).digest())).subarray(0, length);
  const { networks, payments } = bitcoinjs;
  for (let seed = 0; seed < 200; seed += 1) {
    const [hash, other] = [random(seed, 20), random(seed, 32)];
    for (const [network, theirs] of [
      [mainnet, networks.bitcoin],
      [testnet4, networks.testnet],
      [regtest, networks.regtest],
    ] as const)
      for (const payment of [
        payments.p2pkh({ hash, network: theirs }),
        payments.p2sh({ hash, network: theirs }),
        payments.p2wpkh({ hash, network: theirs }),
        payments.p2wsh({ hash: other, network: theirs }),
      ])
        expect(addressOf(payment.output as Uint8Array, network)).toBe(payment.address);
  }
});
