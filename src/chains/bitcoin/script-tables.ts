/** A table of scripts for each snapshot of the lists, made once; from the table before it where little changed. */
import { inSlices } from "../../lib/slices.ts";
import type { AddressTable } from "../../types/address-table.ts";
import { ChangedScriptTable } from "./changed-script-table.ts";
import type { Network } from "./networks.ts";
import { buildScriptTable, type ScriptTable, spareOf } from "./script-table.ts";

export type TableOf = (addresses: AddressTable) => Promise<ScriptTable>;

/** Others run while a table is made. Once the signal is aborted, a table that is being made rejects with its reason. */
export function createScriptTables(network: Network, signal: AbortSignal): TableOf {
  const tables = new WeakMap<AddressTable, Promise<ScriptTable>>();

  function tableOf(addresses: AddressTable): Promise<ScriptTable> {
    const known = tables.get(addresses);
    if (known !== undefined) return known;
    const table = make(addresses);
    tables.set(addresses, table);
    // A list whose file could not be read is asked again.
    table.catch(() => tables.delete(addresses));
    return table;
  }

  async function make(addresses: AddressTable): Promise<ScriptTable> {
    const { since } = addresses;
    if (since !== undefined) {
      const changed = [...since.changedOn(network.chainId)];
      const base = await tableOf(since.base);
      if (changed.length === 0) return base;
      if (changed.length <= spareOf(base.size)) return beside(base, changed);
    }
    return inSlices(buildScriptTable(addresses.addressesOf(network.chainId), { network, sieve: null }), signal);
  }

  async function beside(
    base: ScriptTable,
    changed: readonly { readonly address: string; readonly isListed: boolean }[],
  ): Promise<ScriptTable> {
    const listed = changed.filter(({ isListed }) => isListed).map(({ address }) => address);
    const gone = new Set(changed.filter(({ isListed }) => !isListed).map(({ address }) => address));
    const added = await inSlices(buildScriptTable(listed, { network, sieve: base.sieve }), signal);
    return new ChangedScriptTable({ base, added, gone, network });
  }

  return tableOf;
}
