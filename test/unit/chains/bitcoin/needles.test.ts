/** The scripts that a node's scans are asked for. The expected ones come from bitcoinjs-lib. */
import { expect, test } from "@jest/globals";
import { networks, payments } from "bitcoinjs-lib";
import { needlesOf } from "../../../../src/chains/bitcoin/needles.ts";
import { NETWORKS } from "../../../../src/chains/bitcoin/networks.ts";
import { actors } from "./fixtures.ts";

const network = networks.regtest;
const hash = Buffer.alloc(20, 9);
const pubkey = Buffer.from("0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798", "hex");
const hexOf = ({ output }: { output?: Uint8Array }) => Buffer.from(output ?? []).toString("hex");
const scriptsOf = (...addresses: string[]) => needlesOf(addresses, NETWORKS.regtest).scripts.toSorted();

test("of a key's address are all forms that its hash tells, each once", () => {
  const p2pkh = payments.p2pkh({ hash, network });
  const p2wpkh = payments.p2wpkh({ hash, network });
  const forms = [p2pkh, p2wpkh, payments.p2sh({ redeem: p2wpkh, network })].map(hexOf).toSorted();
  expect(scriptsOf(p2pkh.address as string)).toEqual(forms);
  expect(scriptsOf(p2wpkh.address as string, p2pkh.address as string)).toEqual(forms);
});

test("of a public key are the script itself and all forms of its hash", () => {
  const p2wpkh = payments.p2wpkh({ pubkey, network });
  const p2pk = payments.p2pk({ pubkey, network });
  const forms = [p2pk, payments.p2pkh({ pubkey, network }), p2wpkh, payments.p2sh({ redeem: p2wpkh, network })];
  expect(scriptsOf(`script:${hexOf(p2pk)}`)).toEqual(forms.map(hexOf).toSorted());
});

test("of every other recorded address is its one script", () => {
  const single = ["p2sh-2of3", "p2wsh-2of3", "p2tr", "multisig-2of3"];
  for (const { address, spk } of actors().filter((one) => single.includes(one.type)))
    expect(scriptsOf(address ?? `script:${spk}`)).toEqual([spk]);
  expect(actors().filter(({ type }) => single.includes(type)).length).toBeGreaterThan(5);
});

test("what has no script to name is counted, never left out in silence", () => {
  const { scripts, unscannable } = needlesOf(
    ["script:", `script-sha256:${"ab".repeat(32)}`, "script:51"],
    NETWORKS.regtest,
  );
  expect({ scripts, unscannable }).toEqual({ scripts: ["51"], unscannable: 2 });
});
