/** Logs read by the signatures of their events. Whatever a hostile contract logs gives nothing, never an exception. */
import { EventFragment, getAddress, Interface, type LogDescription, type Result } from "ethers";
import type { BridgeStatement, EventDecoder, EventLog, LogPlace } from "../../types/bridge-event.ts";

/** How one event is read; its arguments by name. */
export type ReadEvent = (args: Result, place: LogPlace & { readonly log: EventLog }) => readonly BridgeStatement[];

/** A decoder out of the signatures of its events, as Solidity writes them, and how each is read. */
export function createDecoder(entity: string, events: Readonly<Record<string, ReadEvent>>): EventDecoder {
  const signatures = Object.keys(events);
  const abi = new Interface(signatures);
  const readers = new Map(
    signatures.map((signature) => [EventFragment.from(signature).topicHash, events[signature]] as const),
  );
  return {
    entity,
    topics: [...readers.keys()],
    decode(log, place) {
      const read = readers.get(log.topics[0] ?? "");
      if (read === undefined) return [];
      try {
        const parsed: LogDescription | null = abi.parseLog({ topics: [...log.topics], data: log.data });
        return parsed === null ? [] : read(parsed.args, { ...place, log });
      } catch {
        // Truncated data, lengths beyond it, text that is no UTF-8, an address with more than 20 bytes.
        return [];
      }
    },
  };
}

const ADDRESS_HEX = 40;
const WORD_HEX = 64;

/** An EVM address out of a word of 32 bytes; null where there is more in it. */
export function addressInWord(word: string): string | null {
  const digits = word.slice(2);
  if (digits.length !== WORD_HEX || !/^0{24}/.test(digits)) return null;
  return getAddress(`0x${digits.slice(-ADDRESS_HEX)}`);
}

/** Bytes as a bridge passes an address along: 20 of them, or a word. Other lengths belong to other chains: as they are. */
export function addressInBytes(bytes: string): string {
  if (bytes.length === ADDRESS_HEX + 2) return getAddress(bytes);
  return (bytes.length === WORD_HEX + 2 ? addressInWord(bytes) : null) ?? bytes;
}

/** A part of packed bytes; throws where they end before it. */
export function part(bytes: string, from: number, to: number): string {
  const text = bytes.slice(2 + 2 * from, 2 + 2 * to);
  if (text.length !== 2 * (to - from)) throw new RangeError(`bytes end before ${to}`);
  return `0x${text}`;
}
