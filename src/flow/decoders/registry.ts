/** Whose logs are read. Adding a bridge or mixer is one file here and one line below. */
import type { Address, ChainId } from "../../types/chain.ts";
import type { BridgeStatement, EventDecoder, EventLog, LogPlace } from "../../types/bridge-event.ts";
import { across } from "./across.ts";
import { chainflip } from "./chainflip.ts";
import { debridge } from "./debridge.ts";
import { layerzero, oft, stargate } from "./layerzero.ts";
import { railgun } from "./railgun.ts";
import { thorchain } from "./thorchain.ts";
import { tornado } from "./tornado.ts";
import { wormhole } from "./wormhole.ts";
import { wrappedCoin } from "./wrapped-coin.ts";

export const DECODERS: readonly EventDecoder[] = [
  across,
  chainflip,
  debridge,
  layerzero,
  oft,
  railgun,
  stargate,
  thorchain,
  tornado,
  wormhole,
  wrappedCoin,
];

/** Whose contract an address is, by the labels in force; null: nobody's that counts. */
export type EntityOf = (chain: ChainId, address: Address) => string | null;

/** One log's statement, and which contract said it. */
export interface Told {
  readonly logIndex: number;
  readonly contract: Address;
  readonly statement: BridgeStatement;
}

/**
 * What the logs of one transaction say, in their order. Only contracts count that the labels name (BRG-0): anyone can log an
 * event of any bridge. Tokens that travel by LayerZero are the exception: the endpoint vouches for those whose packet it sent
 * or whose guid it delivered in the same transaction.
 */
export function toldIn(logs: readonly EventLog[], place: LogPlace, entityOf: EntityOf): readonly Told[] {
  const told = logs.flatMap((log, logIndex) => {
    const decoder = decoderFor(log, entityOf(place.chain, log.address));
    return (decoder?.decode(log, place) ?? []).map((statement) => ({
      logIndex,
      contract: log.address,
      statement,
      decoder,
    }));
  });
  const vouched = new Set(
    told.flatMap(({ decoder, statement }) => (decoder === layerzero && "key" in statement ? [statement.key] : [])),
  );
  return told
    .filter(({ decoder, statement }) => decoder !== oft || ("key" in statement && vouched.has(statement.key)))
    .filter(({ statement }) => statement.said !== "vouched")
    .map(({ logIndex, contract, statement }) => ({ logIndex, contract, statement }));
}

function decoderFor({ topics }: EventLog, entity: string | null): EventDecoder | undefined {
  const topic = topics[0] ?? "";
  return (
    DECODERS.find((one) => one.entity === entity && one.topics.includes(topic)) ??
    (entity === null && oft.topics.includes(topic) ? oft : undefined)
  );
}
