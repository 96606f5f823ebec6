/** Our own JSON lines: everything we know, read back as it was. */
import type { ExportFormat } from "./exported.ts";

export const linesExport: ExportFormat = {
  name: "heistwatch-lines",
  extension: ".jsonl",
  *write({ entries, list, version, incident }) {
    yield `${JSON.stringify({ format: "heistwatch/1", list, version, incident })}\n`;
    // Field by field: what a caller's entry holds besides is not part of the format.
    for (const entry of entries)
      yield `${JSON.stringify({
        chain: entry.chain,
        address: entry.address,
        role: entry.role,
        label: entry.label,
        basis: entry.basis,
        confidence: entry.confidence,
        independentSources: entry.independentSources,
        sanctioned: entry.sanctioned,
        default: entry.default,
        direction: entry.direction,
        custodian: entry.custodian,
        contract: entry.contract,
        note: entry.note,
        firstSeenTx: entry.firstSeenTx,
        accountType: entry.accountType,
        owner: entry.owner,
        sources: entry.sources,
        tlp: entry.tlp,
        validFrom: entry.validFrom,
        validUntil: entry.validUntil,
        case: entry.case,
        addedBy: entry.addedBy,
        givenConfidence: entry.givenConfidence,
      })}\n`;
  },
};
