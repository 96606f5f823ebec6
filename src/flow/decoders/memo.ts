/**
 * Memos of THORChain: `FUNCTION:ASSET:DESTADDR[/REFUNDADDR]:LIM[/INTERVAL/QUANTITY]:...`, in a router's log, in calldata, or
 * behind OP_RETURN. Source: THORChain developer documentation, "Transaction Memos". A memo alone proves nothing.
 */

export type Memo =
  | {
      readonly type: "swap";
      /** `CHAIN.TICKER[-CONTRACT]`; `CHAIN/TICKER` is a synthetic, paid on THORChain itself. */
      readonly asset: string;
      /** As THORChain names the chain that is paid on. */
      readonly chain: string;
      /** Null: empty, as it happens; the payment will say. */
      readonly destination: string | null;
      readonly refund: string | null;
      readonly limit: string | null;
    }
  | { readonly type: "out" | "refund"; readonly txid: string }
  /** `invalid`: a swap without an asset. */
  | { readonly type: "other" | "invalid" };

// Functions and short codes, case-insensitive.
const SWAP = new Set(["swap", "s", "=", "=<"]);
const SHORT: ReadonlyMap<string, string> = new Map([
  ["a", "AVAX.AVAX"],
  ["b", "BTC.BTC"],
  ["c", "BCH.BCH"],
  ["n", "BNB.BNB"],
  ["s", "BSC.BNB"],
  ["d", "DOGE.DOGE"],
  ["e", "ETH.ETH"],
  ["l", "LTC.LTC"],
  ["r", "THOR.RUNE"],
  ["g", "GAIA.ATOM"],
]);
// THORChain refuses longer ones; on Bitcoin OP_RETURN has 80 bytes, a router's log none of that limit.
const LENGTH_MAX = 250;
const ASSET = /^[A-Z0-9]{1,16}[./~][A-Z0-9]{1,32}(-[0-9A-Z]{1,80})?$/;

export function parseMemo(text: string): Memo {
  if (text.length > LENGTH_MAX) return { type: "other" };
  const [name = "", ...fields] = text.split(":");
  const called = name.trim().toLowerCase();
  if (SWAP.has(called)) return parseSwap(fields);
  if (called === "out" || called === "refund") {
    const txid = (fields[0] ?? "").trim().toLowerCase();
    return /^[0-9a-f]{1,64}$/.test(txid) ? { type: called, txid } : { type: "invalid" };
  }
  return { type: "other" };
}

function parseSwap([asset = "", to = "", limit = ""]: readonly string[]): Memo {
  const full = (SHORT.get(asset.toLowerCase()) ?? asset).toUpperCase();
  if (!ASSET.test(full)) return { type: "invalid" };
  const [destination = "", refund = ""] = to.split("/");
  return {
    type: "swap",
    asset: withLowerContract(full),
    // A synthetic or traded asset stays on THORChain, whatever it stands for.
    chain: full.includes("/") || full.includes("~") ? "THOR" : (full.split(".")[0] ?? full),
    destination: orNull(destination),
    refund: orNull(refund),
    limit: wholeNumber(limit.split("/")[0] ?? ""),
  };
}

function orNull(text: string): string | null {
  return text === "" ? null : text;
}

function withLowerContract(asset: string): string {
  const dash = asset.indexOf("-");
  return dash === -1 ? asset : asset.slice(0, dash) + asset.slice(dash).toLowerCase();
}

/** `1e6` is a million; null where it is no number. */
function wholeNumber(text: string): string | null {
  const parsed = /^(\d{1,40})(?:e(\d{1,2}))?$/i.exec(text);
  if (parsed === null) return null;
  return (BigInt(parsed[1] ?? "0") * 10n ** BigInt(parsed[2] ?? "0")).toString();
}

const OP_RETURN = 0x6a;
const PUSH_BYTES_MAX = 0x4b;
const PUSHDATA1 = 0x4c;
const PUSHDATA2 = 0x4d;

/** What a script of one push behind OP_RETURN says; null: it is none, or no text. */
export function memoInScript(script: Uint8Array): string | null {
  if (script[0] !== OP_RETURN) return null;
  const pushed = pushAt(script, 1);
  if (pushed === null) return null;
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(pushed);
  } catch {
    return null;
  }
}

function pushAt(script: Uint8Array, at: number): Uint8Array | null {
  const opcode = script[at];
  if (opcode === undefined) return null;
  let [start, length] = [at + 1, opcode];
  if (opcode === PUSHDATA1) [start, length] = [at + 2, script[at + 1] ?? -1];
  else if (opcode === PUSHDATA2) [start, length] = [at + 3, (script[at + 1] ?? -1) | ((script[at + 2] ?? -1) << 8)];
  else if (opcode > PUSH_BYTES_MAX) return null;
  // A length beyond the script is no push; what follows it is not read.
  return length < 0 || start + length > script.length ? null : script.subarray(start, start + length);
}
