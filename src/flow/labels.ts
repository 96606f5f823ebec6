/** Where a label ends a trail (SVC-1), and which labels turn one asset into another (CNV-1). Pure. */
import { type FlowLabel, MACHINE_KINDS, SERVICE_KINDS, type TrailEndKind } from "../types/flow.ts";

const SERVICES: ReadonlySet<string> = new Set(SERVICE_KINDS);
const MACHINES: ReadonlySet<string> = new Set(MACHINE_KINDS);

/** The end that a payment to so labelled an address has; null: it is followed. */
export function endOfLabel(label: FlowLabel | null): { readonly kind: TrailEndKind; readonly ref: string } | null {
  if (label === null) return null;
  if (label.kind === "bridge") return { kind: "bridgeUnresolved", ref: label.entity };
  if (label.kind === "mixer") return { kind: "mixer", ref: label.entity };
  return SERVICES.has(label.kind) ? { kind: "service", ref: label.entity } : null;
}

export function isMachine(label: FlowLabel | null): boolean {
  return label !== null && MACHINES.has(label.kind);
}
