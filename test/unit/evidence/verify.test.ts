import { describe, expect, test } from "@jest/globals";
import { BITCOIN_KINDS, EVM_KINDS } from "./kinds.ts";
import { bundleOf, KEY, verify } from "./make.ts";

describe("a bundle of each kind verifies, and says what is proven and what is only said", () => {
  test.each([...EVM_KINDS, ...BITCOIN_KINDS].map((kind) => [kind.name, kind] as const))("%s", async (_name, kind) => {
    const parts = await kind.make();
    const verdict = verify(bundleOf(parts), { key: KEY.publicKey });
    if (!verdict.ok) throw new Error(verdict.reason);
    const { proven, trusted, isPinned } = verdict.findings;
    expect(isPinned).toBe(true);
    for (const { amount, asset, key } of parts.transfers) {
      const about = (line: string) => line.startsWith(key) && line.includes(`${amount} base units of ${asset.id}`);
      expect([key, proven.some(about), trusted.some(about)]).toEqual([
        key,
        kind.shows === "proven",
        kind.shows === "trusted",
      ]);
    }
  });
});
