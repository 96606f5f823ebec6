/**
 * What must be true, said a second time and without a line of the production code: the rules of docs/line.md as loops
 * over the chain as it really is.
 */
import { ASSETS, isOwn, type ListEdition, type Person } from "./people.ts";
import type { Inclusion, SimBlock, SimTransfer } from "./world.ts";

export interface ExpectedHit {
  readonly transfer: SimTransfer;
  /** Who the alert is about. */
  readonly subject: string;
  /** False: stored and not told. */
  readonly told: boolean;
}

function isWatchedSender({ kind }: Person, edition: ListEdition): boolean {
  if (kind === "listedLater") return edition === "second";
  return kind === "sanctioned" || kind === "thief" || kind === "tagged" || kind === "ownListed";
}

function isWatchedRecipient(person: Person, edition: ListEdition): boolean {
  return isWatchedSender(person, edition) || person.kind === "toOnly";
}

function expectedHit(transfer: SimTransfer, edition: ListEdition): ExpectedHit | null {
  const { from, to } = transfer;
  const sends = isWatchedSender(from, edition);
  const receives = isWatchedRecipient(to, edition);
  if (!sends && !receives) return null;
  return { transfer, subject: subjectOf(transfer, sends), told: isTold(transfer, { sends, receives }) };
}

/** The own address on the far side of the thief; else one on his own side; else the thief himself. */
function subjectOf({ from, to }: SimTransfer, sends: boolean): string {
  const order = sends ? [to, from] : [from, to];
  const own = order.find(isOwn);
  if (own !== undefined) return own.address;
  return sends ? from.address : to.address;
}

function isTold(transfer: SimTransfer, { sends, receives }: { sends: boolean; receives: boolean }): boolean {
  const { from, to, asset, amount } = transfer;
  if (amount === 0n) return false;
  if (asset === "fake" && !sends) return false;
  const ownTouched = isOwn(from) || isOwn(to);
  const sanctioned = (sends && from.kind === "sanctioned") || (receives && to.kind === "sanctioned");
  return amount >= ASSETS[asset].dustBelow || sanctioned || ownTouched;
}

export function expectedHits({ failed, transfers }: Inclusion, edition: ListEdition): ExpectedHit[] {
  if (failed) return [];
  return transfers.map((transfer) => expectedHit(transfer, edition)).filter((hit) => hit !== null);
}

/** One alert as the outside world must see it. */
export interface ExpectedAlert {
  readonly txHash: string;
  readonly subject: string;
  readonly block: SimBlock;
  readonly transfers: readonly SimTransfer[];
}

export function alertKey(of: { txHash: string; subject: string }): string {
  return `${of.txHash} ${of.subject}`;
}

/** The alerts these blocks give rise to, by transaction and subject. */
export function expectedAlerts(
  blocks: Iterable<SimBlock>,
  editionOf: (block: SimBlock) => ListEdition,
): Map<string, ExpectedAlert> {
  const alerts = new Map<string, ExpectedAlert>();
  for (const block of blocks) {
    for (const inclusion of block.inclusions) {
      const told = expectedHits(inclusion, editionOf(block)).filter((hit) => hit.told);
      for (const subject of new Set(told.map((hit) => hit.subject))) {
        const transfers = told.filter((hit) => hit.subject === subject).map((hit) => hit.transfer);
        const { txHash } = inclusion;
        alerts.set(alertKey({ txHash, subject }), { txHash, subject, block, transfers });
      }
    }
  }
  return alerts;
}
