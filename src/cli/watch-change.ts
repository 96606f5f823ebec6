/** `heistwatch watch add|change|remove|suppress|dispute|undo|approve|reject`: what changes what is watched. */
import { createInterface } from "node:readline/promises";
import type { Outcome, Preview } from "../daemon/watch-outcome.ts";
import type { Proposal } from "../types/watch-change.ts";
import { describeFinding } from "../watchlist/hygiene-words.ts";
import { EXIT, readConfig } from "./context.ts";
import { paint, print, printJson } from "./output.ts";
import { durationMs } from "./duration.ts";
import { askWatch, type PersonOptions } from "./watch-ask.ts";

export interface AddOptions extends PersonOptions {
  readonly incident: string;
  readonly chain?: string;
  readonly role?: string;
  readonly label?: string;
  readonly basis?: string;
  readonly source?: readonly string[];
  readonly sources?: number;
  readonly sanctioned?: string;
  readonly toOnly?: boolean;
  readonly note?: string;
  readonly case?: string;
  readonly tlp?: string;
  readonly validUntil?: string;
  readonly why?: string;
  readonly override?: string;
  readonly yes?: boolean;
}

/** Shows what would be touched, then asks; without a terminal it adds only with `--yes`. */
export async function addToWatch(address: string, options: AddOptions): Promise<number> {
  const config = readConfig(options);
  const input = inputOf(address, options);
  const preview = await askWatch<Preview>(config, { name: "watch.preview", args: input, options });
  if (options.json !== true) for (const line of describePreview(preview)) print(line);
  if (preview.decision.do === "refuse") {
    if (options.json === true) printJson(preview);
    else print(paint("red", `Refused: ${preview.decision.because}`));
    return EXIT.fix;
  }
  if (options.yes !== true && !(await isConfirmed(options.json === true))) {
    if (options.json === true) printJson(preview);
    else print("Nothing was added. Run it again with --yes to add it.");
    return EXIT.fix;
  }
  const outcome = await askWatch<Outcome>(config, { name: "watch.add", args: input, options });
  return tell(outcome, options);
}

function inputOf(address: string, options: AddOptions): object {
  const { incident, chain, role, label, basis, source, sources, note, why, tlp, override } = options;
  const { sanctioned, validUntil } = options;
  return {
    address,
    incident,
    chain,
    role,
    label,
    basis,
    sources: source,
    independentSources: sources,
    note,
    why,
    tlp,
    validUntil,
    override,
    case: options.case,
    direction: options.toOnly === true ? "to_only" : undefined,
    sanctioned:
      sanctioned === undefined ? undefined : { list: sanctioned, source: source?.[0] ?? `list:${sanctioned}` },
  };
}

function describePreview({ places, reach, decision }: Preview): string[] {
  const lines = places.map(({ chain, address, contract }) => {
    const kind = contract === null ? "contract or not: unknown" : contract ? "a contract" : "an ordinary account";
    return `${chain} ${address}: ${kind}`;
  });
  for (const { address, findings } of places)
    for (const finding of findings) lines.push(paint("yellow", `  ${address} ${describeFinding(finding)}`));
  for (const { known } of places)
    for (const one of known)
      lines.push(`  already on ${one.list} (${one.chain}) as ${one.role}, ${one.default}: ${one.label}`);
  lines.push(
    `Last 24 h: ${reach.complete ? "" : "at least "}${reach.transfers} transfers, with ${reach.counterparties} other addresses and ${reach.customers.length} of our customers${reach.customers.length === 0 ? "" : ` (${reach.customers.slice(0, 5).join(", ")})`}.`,
  );
  if (decision.do === "record")
    lines.push(paint("yellow", `Would be recorded only until a second person confirms: ${decision.because}.`));
  return lines;
}

async function isConfirmed(isMachine: boolean): Promise<boolean> {
  if (isMachine || !process.stdin.isTTY) return false;
  const asked = createInterface({ input: process.stdin, output: process.stdout });
  try {
    return /^y(es)?$/i.test((await asked.question("Watch it? [y/N] ")).trim());
  } finally {
    asked.close();
  }
}

export interface WhyOptions extends PersonOptions {
  readonly why: string;
}

export async function removeFromWatch(entryId: string, options: WhyOptions): Promise<number> {
  return act("watch.remove", { entryId, why: options.why }, options);
}

export async function disputeWatch(entryId: string, options: WhyOptions): Promise<number> {
  return act("watch.dispute", { entryId, why: options.why }, options);
}

export async function suppressWatch(entryId: string, options: WhyOptions & { for: string }): Promise<number> {
  return act("watch.suppress", { entryId, why: options.why, forMs: durationMs(options.for) }, options);
}

export async function undoWatch(entryId: string, options: PersonOptions): Promise<number> {
  return act("watch.undo", { entryId }, options);
}

export interface ChangeOptions extends WhyOptions {
  readonly role?: string;
  readonly label?: string;
  readonly basis?: string;
  readonly sources?: number;
  readonly direction?: string;
  readonly default?: string;
  readonly note?: string;
  readonly validUntil?: string;
}

export async function changeWatch(entryId: string, options: ChangeOptions): Promise<number> {
  const { role, label, basis, sources, direction, note, why } = options;
  const validUntil = options.validUntil === "never" ? null : options.validUntil;
  const asGiven = { role, label, basis, independentSources: sources, direction, default: options.default, note };
  const patch = { ...asGiven, validUntil };
  return act("watch.change", { entryId, patch, why }, options);
}

/** What is approved is what is shown here: its hash goes along. */
export async function approveWatch(proposalId: string, options: PersonOptions & { hash?: string }): Promise<number> {
  const config = readConfig(options);
  const proposal = await askWatch<Proposal>(config, { name: "watch.proposal", args: { proposalId }, options });
  if (options.json !== true) print(describeProposal(proposal));
  const args = { proposalId, changeHash: options.hash ?? proposal.changeHash };
  return tell(await askWatch<Outcome>(config, { name: "watch.approve", args, options }), options);
}

export async function rejectWatch(proposalId: string, options: WhyOptions): Promise<number> {
  return act("watch.reject", { proposalId, why: options.why }, options);
}

const ENTRIES_SHOWN = 20;

export function describeProposal({ proposer, action, change, why, state, changeHash }: Proposal): string {
  const lines = [`${proposer} proposes: ${action}, list ${change.list} (${state})`, `why: ${why ?? "not said"}`];
  for (const { entryId, before, after } of change.entries.slice(0, ENTRIES_SHOWN)) {
    lines.push(`  ${entryId}`);
    lines.push(`    before: ${before === null ? "not there" : JSON.stringify(before)}`);
    lines.push(`    after:  ${after === null ? "not there" : JSON.stringify(after)}`);
  }
  const more = change.entries.length - ENTRIES_SHOWN;
  if (more > 0) lines.push(`  and ${more} more`);
  lines.push(`hash ${changeHash}`);
  return lines.join("\n");
}

/** Asks for a change, and says what became of it. */
export async function act(name: string, args: object, options: PersonOptions): Promise<number> {
  return tell(await askWatch<Outcome>(readConfig(options), { name, args, options }), options);
}

function tell(outcome: Outcome, { json }: PersonOptions): number {
  if (json === true) printJson(outcome);
  else for (const line of describeOutcome(outcome)) print(line);
  return EXIT.ok;
}

function describeOutcome(outcome: Outcome): string[] {
  if (outcome.done === "rejected") return [`Rejected. What is watched stays as it is.`];
  const entries = outcome.entries.map((entry) => `  ${entry}`);
  if (outcome.done === "proposed")
    return [
      `A second person must approve this within 24 h: ${outcome.because}.`,
      ...entries,
      `heistwatch watch approve ${outcome.proposalId}`,
    ];
  const live = outcome.live.map(({ chain, fromBlock }) =>
    fromBlock === null
      ? `${chain}: not followed yet; in force from its first block on.`
      : `${chain}: in force from block ${fromBlock} on.`,
  );
  if (outcome.done === "applied") return ["Done.", ...entries, ...live];
  return [
    "Recorded, but it tells nothing until a second person confirms it:",
    ...entries,
    ...live,
    `heistwatch watch approve ${outcome.proposalId}`,
  ];
}
