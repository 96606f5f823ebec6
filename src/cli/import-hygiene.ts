/** What a person should know of the addresses of a list that they import: told with line numbers, and nothing refused. */
import { normalizeAddress } from "../chains/registry.ts";
import type { LoadedLists } from "../daemon/lists.ts";
import { describeFinding } from "../watchlist/hygiene-words.ts";
import { checkAddress, createLookAlikes, type HygieneFinding } from "../watchlist/hygiene.ts";
import type { ListInput } from "../types/watchlist-format.ts";
import { knownIn, readServices } from "../daemon/address-hygiene.ts";

interface RowFinding {
  readonly line: number;
  readonly address: string;
  readonly finding: HygieneFinding;
}

/** Own addresses that are not sanctioned are left to the daemon, which refuses them; services and burns it refuses too. */
const TOLD: ReadonlySet<HygieneFinding["code"]> = new Set(["burn", "service", "lookAlike", "ownSanctioned"]);

export async function hygieneOfList({ entries }: ListInput, lists: LoadedLists): Promise<readonly RowFinding[]> {
  const services = await readServices();
  const context = {
    normalizeAddress,
    services,
    ownOf: lists.watchlist.ownOf,
    lookAlikes: createLookAlikes(knownIn(lists)),
  };
  return entries.flatMap(({ line, chain, address, sanctioned }) =>
    checkAddress({ chain, text: address, sanctioned: sanctioned !== null }, context)
      .findings.filter(({ code }) => TOLD.has(code))
      .map((finding) => ({ line, address, finding })),
  );
}

export function describeHygiene(findings: readonly RowFinding[], file: string): string[] {
  return findings.map(({ line, address, finding }) => `${file}:${line}: ${address} ${describeFinding(finding)}`);
}
