/**
 * What people do to the watchlists: each act is decided by `change-rules.ts` and carried out under the store's lock, with
 * its line in the audit trail and, where it makes an alert less likely, a page, in one transaction.
 */
import { AppError } from "../lib/errors.ts";
import { type NewDeliveries, storeMessage } from "../store/alert-messages.ts";
import type { Applied } from "../store/watch-apply.ts";
import type { AddressReach, ReachStore } from "../store/watch-reach.ts";
import type { StoredHead } from "../store/watch-reading.ts";
import type { WatchBook, WatchStore } from "../store/watch-store.ts";
import type { Severity } from "../types/alert.ts";
import type { ChainId } from "../types/chain.ts";
import type { EntryMute, WatchEntry } from "../types/watch.ts";
import type { Actor, ListChange, Proposal, WatchAction } from "../types/watch-change.ts";
import * as rules from "../watchlist/change-rules.ts";
import type { HygieneAnswer, HygieneInput } from "../watchlist/hygiene.ts";
import { NotAllowedError } from "./actors.ts";
import { notAnAddressAnywhere, refusedAs } from "./address-hygiene.ts";
import { asMutedNow } from "./as-muted-now.ts";
import { BadCallError } from "./checked.ts";
import { joinReach, type RecentTouches } from "./recent-touches.ts";
import {
  type AddInput,
  bareIncident,
  changeOf,
  type EntryPatch,
  newEntry,
  operatorList,
  patched,
  refusedEnd,
  refusedPatch,
  whyOf,
} from "./watch-entry.ts";
import { watchMessage } from "./watch-message.ts";
import { type Found, named, type Outcome, outcomeOf, type Preview } from "./watch-outcome.ts";

export interface DeskDeps {
  readonly store: WatchStore;
  readonly reach: ReachStore;
  readonly chains: readonly { readonly id: ChainId; readonly name: string }[];
  /** Null: no such address there; `noAdapter`: nobody here can tell. */
  readonly normalizeAddress: (chain: ChainId, text: string) => string | null;
  readonly hygieneOf: (input: HygieneInput) => Promise<HygieneAnswer>;
  /** Asked of own nodes only; null: nobody could tell. */
  readonly isContract: (chain: ChainId, address: string) => Promise<boolean | null>;
  /** What our nodes tell of its last day, bounded in time; null: nobody can. Absent: nobody is asked. */
  readonly recentTouches?: (chain: ChainId, address: string) => Promise<RecentTouches | null>;
  /** Who is paged. */
  readonly operationSinks: readonly string[];
  readonly now: () => number;
  /** What is watched changed. */
  readonly onChanged: () => Promise<void>;
}

const DAY_MS = 24 * 60 * 60_000;

export interface WatchDesk {
  preview(actor: Actor, input: AddInput): Promise<Preview>;
  add(actor: Actor, input: AddInput): Promise<Outcome>;
  change(actor: Actor, of: { entryId: string; patch: EntryPatch; why: string }): Promise<Outcome>;
  /** Somebody looked at it; `againMs`: when to look again, null: it needs no more. */
  review(actor: Actor, of: { entryId: string; againMs: number | null; why: string }): Promise<Outcome>;
  remove(actor: Actor, of: { entryId: string; why: string }): Promise<Outcome>;
  suppress(actor: Actor, of: { entryId: string; forMs: number; why: string }): Promise<Outcome>;
  dispute(actor: Actor, of: { entryId: string; why: string }): Promise<Outcome>;
  undo(actor: Actor, of: { entryId: string }): Promise<Outcome>;
  approve(actor: Actor, of: { proposalId: string; changeHash: string }): Promise<Outcome>;
  reject(actor: Actor, of: { proposalId: string; why: string }): Promise<Outcome>;
}

interface Act {
  readonly actor: Actor;
  readonly action: WatchAction;
  readonly change: ListChange;
  readonly why: string | null;
  readonly now: number;
}

export function createWatchDesk(deps: DeskDeps): WatchDesk {
  const { store } = deps;

  async function placesOf(input: AddInput): Promise<Found[]> {
    const chains = input.chain === undefined ? deps.chains.map(({ id }) => id) : [input.chain];
    const places = chains.flatMap((chain) => {
      const answer = deps.normalizeAddress(chain, input.address);
      if (answer === null) return [];
      // A chain that was named is taken as written; a guess needs somebody who can read the address.
      if (answer === "noAdapter") return input.chain === undefined ? [] : [{ chain, address: input.address }];
      return [{ chain, address: answer }];
    });
    if (places.length === 0) throw new AppError(notAnAddressAnywhere(input, chains));
    return Promise.all(
      places.map(async (place) => ({
        ...place,
        contract: await deps.isContract(place.chain, place.address),
        ...(await findingsOf(place, input)),
      })),
    );
  }

  async function findingsOf({ chain, address }: Pick<Found, "chain" | "address">, input: AddInput) {
    const sanctioned = input.sanctioned !== undefined;
    const { findings, address: canonical } = await deps.hygieneOf({ chain, text: address, sanctioned });
    if (canonical === null) throw new AppError(notAnAddressAnywhere(input, [chain]));
    return { findings };
  }

  /** The strictest decision of all places. */
  function decideAll(of: {
    actor: Actor;
    input: AddInput;
    found: readonly { readonly entry: WatchEntry; readonly place: Found }[];
    known: ReadonlySet<string>;
    reach: AddressReach;
  }): rules.Decision {
    const { actor, input, reach } = of;
    const fresh = of.found.filter(({ entry }) => !of.known.has(entry.id));
    const decisions = (fresh.length === 0 ? of.found : fresh).map(({ entry, place }) =>
      rules.decideAdd({
        actor,
        entry,
        isKnown: of.known.has(entry.id),
        refusedAs: refusedAs(place.findings),
        isOverridden: input.override !== undefined,
        reach: { customers: reach.customers.length, counterparties: reach.counterparties },
      }),
    );
    const strictest = ["refuse", "propose", "record", "apply"] as const;
    return strictest.flatMap((kind) => decisions.filter((one) => one.do === kind))[0] as rules.Decision;
  }

  async function prepare(
    actor: Actor,
    { input, now }: { input: AddInput; now: number },
  ): Promise<{ entries: WatchEntry[]; preview: Preview }> {
    const wrongEnd = refusedEnd(input, now);
    if (wrongEnd !== null) throw new BadCallError(wrongEnd);
    const places = await placesOf(input);
    const found = places.map((place) => ({
      place,
      entry: newEntry(input, place, { name: actor.name, now }),
    }));
    const addresses = [...new Set(places.map(({ address }) => address))];
    const known = (await Promise.all(addresses.map((address) => store.entriesAt(address)))).flat();
    const stored = await deps.reach.ofAddress({ address: addresses[0] as string, since: now - DAY_MS });
    const seen = places.map(async ({ chain, address }) => (await deps.recentTouches?.(chain, address)) ?? null);
    const reach = joinReach(stored, await Promise.all(seen));
    const decision = decideAll({ actor, input, found, known: new Set(known.map(({ id }) => id)), reach });
    const preview = {
      places: places.map((place) => ({
        ...place,
        known: known
          .filter(({ address }) => address === place.address)
          .map(({ list, chain, role, label, default: state }) => ({ list, chain, role, label, default: state })),
      })),
      reach,
      decision,
    };
    return { entries: found.map(({ entry }) => entry), preview };
  }

  async function add(actor: Actor, input: AddInput): Promise<Outcome> {
    const now = deps.now();
    const { entries, preview } = await prepare(actor, { input, now });
    const { decision } = preview;
    if (decision.do === "refuse") throw new NotAllowedError(decision.because);
    return carryOut(async (book) => {
      const list = (await book.head(operatorList(input.incident))) ?? (await newList(book, input.incident));
      const known = await Promise.all(entries.map(({ id }) => book.entry(id)));
      const fresh = entries.filter((_, place) => known[place] === null);
      if (fresh.length === 0) throw new NotAllowedError("it is watched already");
      const isRecorded = decision.do === "record";
      const mute: EntryMute = { why: "unconfirmed", by: actor.name, until: null };
      const added = fresh.map((entry) => (isRecorded && entry.sanctioned === null ? { ...entry, muted: mute } : entry));
      const change = changeOf(
        list,
        added.map((entry) => ({ entryId: entry.id, before: null, after: entry })),
        now,
      );
      const act: Act = { actor, action: "add", change, why: whyOf(input), now };
      const applied = await apply(book, act);
      if (preview.places.some(({ findings }) => findings.some(({ code }) => code === "ownSanctioned")))
        await tell(book, {
          severity: "critical",
          subject: named(change.entries.map(({ entryId }) => entryId)),
          summary: `Compliance: ${actor.name} added ${input.address}, which is one of our own addresses and sanctioned.`,
          now,
        });
      if (!isRecorded) return outcomeOf(applied, change, "applied");
      const confirm = changeOf(
        list,
        fresh.map((entry, index) => ({ entryId: entry.id, before: added[index] as WatchEntry, after: entry })),
        now,
      );
      const asked = await propose(book, { ...act, action: "confirm", change: confirm, why: decision.because });
      return { ...outcomeOf(applied, change, "recorded"), proposalId: asked.proposalId, changeHash: asked.changeHash };
    });
  }

  async function newList(book: WatchBook, incident: string): Promise<Pick<StoredHead, "list" | "incident" | "file">> {
    const known = await book.incident(incident);
    return { list: operatorList(incident), incident: known ?? bareIncident(incident), file: null };
  }

  /** One act on one entry: decided on what it is under the lock. */
  function onEntry(
    of: { actor: Actor; entryId: string; action: WatchAction; why: string | null },
    decide: (
      entry: WatchEntry,
      book: WatchBook,
      now: number,
    ) => Promise<{ decision: rules.Decision; after: WatchEntry | null }>,
    page?: { severity: Severity; summary: (entry: WatchEntry) => string },
  ): Promise<Outcome> {
    const { actor, entryId, action, why } = of;
    const now = deps.now();
    return carryOut(async (book) => {
      const entry = await book.entry(entryId);
      if (entry === null) throw new AppError(`there is no entry ${entryId}`);
      const { decision, after } = await decide(entry, book, now);
      if (decision.do === "refuse") throw new NotAllowedError(decision.because);
      const list = (await book.head(entry.list)) as StoredHead;
      const change = changeOf(list, [{ entryId, before: entry, after }], now);
      const act: Act = { actor, action, change, why, now };
      if (decision.do !== "apply") return propose(book, { ...act, because: decision.because });
      const applied = await apply(book, act);
      if (page !== undefined) await tell(book, { ...page, summary: page.summary(entry), subject: entryId, now });
      return outcomeOf(applied, change, "applied");
    });
  }

  async function propose(
    book: WatchBook,
    act: Act & { because?: string },
  ): Promise<Extract<Outcome, { done: "proposed" }>> {
    const { actor, action, change, why, now, because = why ?? action } = act;
    const { proposal, isNew } = await book.propose({
      action,
      change,
      proposer: actor.name,
      why,
      now,
      expiresAt: now + rules.PROPOSAL_MS,
    });
    const entries = change.entries.map(({ entryId }) => entryId);
    if (isNew)
      await tell(book, {
        severity: "high",
        subject: `proposal:${proposal.proposalId}`,
        summary: `${actor.name} asks for a second person: ${action} ${named(entries)} (${because}). Within 24 h: heistwatch watch approve ${proposal.proposalId}`,
        now,
      });
    return { done: "proposed", because, entries, proposalId: proposal.proposalId, changeHash: proposal.changeHash };
  }

  function apply(book: WatchBook, { actor, action, change, why, now }: Act): Promise<Applied> {
    return book.apply({ change, action, actor: actor.name, approver: null, why, now });
  }

  async function carryOut<T>(work: (book: WatchBook) => Promise<T>): Promise<T> {
    const outcome = await store.write(work);
    await deps.onChanged();
    return outcome;
  }

  async function tell(
    book: WatchBook,
    of: { severity: Severity; subject: string; summary: string; now: number },
  ): Promise<void> {
    const { now } = of;
    const sinks: NewDeliveries["sinks"] = deps.operationSinks;
    await storeMessage(book.trx, { message: watchMessage(of), sinks, now, queued: false });
  }

  async function decideOn(
    proposalId: string,
    work: (book: WatchBook, proposal: Proposal, now: number) => Promise<Outcome>,
  ): Promise<Outcome> {
    const now = deps.now();
    return carryOut(async (book) => {
      const proposal = await book.proposal(proposalId);
      if (proposal === null) throw new AppError(`there is no proposal ${proposalId}`);
      return work(book, proposal, now);
    });
  }

  return {
    preview: async (actor, input) => (await prepare(actor, { input, now: deps.now() })).preview,
    add,

    change: (actor, { entryId, patch, why }) =>
      onEntry({ actor, entryId, action: "change", why }, async (before) => {
        const after = patched(before, patch);
        const because = refusedPatch(before, patch);
        const decision = rules.decideChange({ actor, before, after });
        return { decision: because === null ? decision : { do: "refuse", because }, after };
      }),

    review: (actor, { entryId, againMs, why }) =>
      onEntry({ actor, entryId, action: "review", why }, async (entry, _book, now) => {
        const { reviewBy: _reviewBy, ...rest } = entry;
        const after = againMs === null ? rest : { ...rest, reviewBy: now + againMs };
        return { decision: rules.decideReview({ actor, entry }), after };
      }),

    remove: (actor, { entryId, why }) =>
      onEntry({ actor, entryId, action: "remove", why }, async () => ({
        decision: rules.decideRemove({ actor }),
        after: null,
      })),

    suppress: (actor, { entryId, forMs, why }) =>
      onEntry({ actor, entryId, action: "suppress", why }, async (entry, _book, now) => {
        const until = now + forMs;
        const muted: EntryMute = { why: "suppressed", by: actor.name, until };
        return { decision: rules.decideSuppress({ actor, entry, now, until }), after: { ...entry, muted } };
      }),

    dispute: (actor, { entryId, why }) =>
      onEntry(
        { actor, entryId, action: "dispute", why },
        async (entry, book, now) => {
          const lastDisputedAt = await book.lastActionAt(entryId, "dispute");
          const muted: EntryMute = { why: "disputed", by: actor.name, until: now + rules.DISPUTE_MS };
          return {
            decision: rules.decideDispute({ actor, entry, now, lastDisputedAt }),
            after: { ...entry, muted },
          };
        },
        {
          severity: "critical",
          summary: ({ id }) =>
            `${actor.name} disputes ${id}: for 4 h its transfers are recorded, but neither tell nor hold anything. Why: ${why}`,
        },
      ),

    undo: (actor, { entryId }) =>
      onEntry(
        { actor, entryId, action: "undo", why: null },
        async (entry, book, now) => {
          // Its last change is its addition, also where it was taken back and added before.
          const isAsAdded = (await book.lastChangeAt(entryId)) === entry.addedAt;
          return { decision: rules.decideUndo({ actor, entry, now, isAsAdded }), after: null };
        },
        {
          severity: "high",
          summary: ({ id }) => `${actor.name} took back ${id}, which they added within the last hour.`,
        },
      ),

    approve: (actor, { proposalId, changeHash }) =>
      decideOn(proposalId, async (book, proposal, now) => {
        const decision = rules.decideApprove({ actor, proposal, now });
        if (decision.do === "refuse") throw new NotAllowedError(decision.because);
        if (proposal.changeHash !== changeHash)
          throw new NotAllowedError("this is not the change you looked at: show the proposal again");
        const { action, why, proposer } = proposal;
        const change = await asMutedNow(book, proposal);
        const applied = await book.apply({
          change,
          action,
          actor: proposer,
          approver: actor.name,
          why,
          now,
          changeHash,
        });
        await book.close(proposalId, { state: "approved", by: actor.name, now });
        await tell(book, {
          severity: "high",
          subject: `proposal:${proposalId}`,
          summary: `${actor.name} approved what ${proposer} proposed: ${action} ${named(change.entries.map(({ entryId }) => entryId))}.`,
          now,
        });
        return { ...outcomeOf(applied, change, "applied"), proposalId };
      }),

    reject: (actor, { proposalId, why }) =>
      decideOn(proposalId, async (book, proposal, now) => {
        const decision = rules.decideReject({ actor, proposal, now });
        if (decision.do === "refuse") throw new NotAllowedError(decision.because);
        await book.close(proposalId, { state: "rejected", by: actor.name, now });
        const { changeHash } = proposal;
        await book.audit({
          at: now,
          actor: actor.name,
          action: `reject ${proposal.action}`,
          subject: proposalId,
          why,
          before: null,
          after: null,
          approver: null,
          changeHash,
        });
        return { done: "rejected", proposalId, changeHash };
      }),
  };
}
