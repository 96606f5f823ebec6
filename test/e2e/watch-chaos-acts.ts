/** What people do to the watchlists in a run, and the book of what is listed because of it. */
import { getAddress } from "ethers";
import type { Outcome } from "../../src/daemon/watch-outcome.ts";
import type { WatchEntry } from "../../src/types/watch.ts";
import { waitFor } from "../support/wait-for.ts";
import type { Random } from "./random.ts";
import { type ChaosWorld, type Door, letHoursPass, PAID, type Person, RefusedError } from "./watch-chaos-world.ts";

/** An entry as it should be. */
export interface Listed {
  readonly id: string;
  /** Lower case; in the id it is written with its checksum. */
  readonly address: string;
  /** `muted`: recorded only. */
  state: "listed" | "muted" | "gone";
  /** Null: it came with the file. */
  addedBy: Person | null;
  /** Nobody did anything to it since it was added. */
  isAsAdded: boolean;
  /** A dispute is once a day, also of an entry that was removed and added again. */
  wasDisputed: boolean;
  /** How many wallets had sent when it was last muted: what comes after must not be told. */
  mutedAfter: number;
}

export interface Acting {
  readonly world: ChaosWorld;
  readonly random: Random;
  readonly people: readonly Person[];
  /** Those of them who may approve. */
  readonly approvers: readonly Person[];
  readonly book: Map<string, Listed>;
  readonly say: (text: string) => void;
}

type Act = (acting: Acting) => Promise<string | null>;

/** Each says what it did; null: there was nothing to do it to. */
export const ACTS = {
  add,
  undo,
  remove,
  dispute,
  suppress,
  switchOver,
  hoursPass,
  reject,
  refused,
} as const satisfies Record<string, Act>;
export type ActName = keyof typeof ACTS;

const INCIDENTS = ["heist-a", "heist-b"];
const TRIES = 5;

export function entryIdOf(list: string, address: string): string {
  return `${list}/eip155:1/${getAddress(address)}`;
}

/** Asked again while nobody answers: the daemon may have died before it did it, or after. */
async function surely(acting: Acting, ask: () => Promise<unknown>, isDone: () => Promise<boolean>): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      await ask();
      return;
    } catch (error) {
      // A no is an answer, unless the one before was lost on its way.
      if (error instanceof RefusedError && tries === 1) throw error;
      const look = async () => ({ done: await isDone() });
      const { done } = await waitFor("an answer", look, { timeoutMs: 60_000, intervalMs: 500 });
      if (done) return;
      if (tries === TRIES) throw error;
      acting.say(`asked again: ${String(error).slice(0, 300)}`);
    }
  }
}

async function stored({ world }: Acting, entry: Listed): Promise<WatchEntry | null> {
  const found = await world.owner.ask<WatchEntry[]>("show", { address: entry.address }, "cli");
  return found.find(({ id }) => id === entry.id) ?? null;
}

async function add(acting: Acting): Promise<string | null> {
  const { random, world, book, people } = acting;
  const { address, incident } = choose(acting);
  const id = entryIdOf(`operator-${incident}`, address);
  const entry: Listed = book.get(id) ?? {
    id,
    address,
    state: "gone",
    addedBy: null,
    isAsAdded: true,
    wasDisputed: false,
    mutedAfter: 0,
  };
  if (entry.state !== "gone") return null;
  const person = random.pick(people);
  const door = pickDoor(random);
  await surely(
    acting,
    () => person.ask<Outcome>("add", { address, incident }, door),
    async () => (await stored(acting, entry)) !== null,
  );
  book.set(id, Object.assign(entry, { state: "listed", addedBy: person, isAsAdded: true }));
  return `${person.name} added ${id} by ${door}, wallet ${world.chain.sent()}`;
}

/** A new address; one that was listed before; one that is listed for another incident. */
function choose({ random, world, book }: Acting): { address: string; incident: string } {
  const entries = [...book.values()];
  const lot = random.next();
  const gone = entries.filter(({ state }) => state === "gone");
  if (lot < 0.35 && gone.length > 0) return { address: random.pick(gone).address, incident: random.pick(INCIDENTS) };
  if (lot < 0.55) return { address: random.pick(entries).address, incident: random.pick(INCIDENTS) };
  const { watched } = world.chain.scene;
  const sent = world.chain.wallets.slice(0, world.chain.sent() + 20);
  const from = random.chance(0.7) ? [...watched.keys()].slice(0, PAID) : sent;
  return { address: random.pick(from), incident: random.pick(INCIDENTS) };
}

function pickEntry({ random, book }: Acting, fits: (entry: Listed) => boolean): Listed | null {
  const found = [...book.values()].filter(fits);
  return found.length === 0 ? null : random.pick(found);
}

async function undo(acting: Acting): Promise<string | null> {
  const entry = pickEntry(
    acting,
    ({ state, addedBy, isAsAdded }) => state === "listed" && addedBy !== null && isAsAdded,
  );
  if (entry === null || entry.addedBy === null) return null;
  const { addedBy } = entry;
  await surely(
    acting,
    () => addedBy.ask<Outcome>("undo", { entryId: entry.id }, pickDoor(acting.random)),
    async () => (await stored(acting, entry)) === null,
  );
  entry.state = "gone";
  return `${addedBy.name} took back ${entry.id}`;
}

async function remove(acting: Acting): Promise<string | null> {
  const entry = pickEntry(acting, ({ state }) => state !== "gone");
  if (entry === null) return null;
  const who = await decideByTwo(acting, entry, {
    call: "remove",
    args: { entryId: entry.id, why: "wrong address" },
    isDone: (now) => now === null,
  });
  entry.state = "gone";
  return `${who} removed ${entry.id}`;
}

async function suppress(acting: Acting): Promise<string | null> {
  const entry = pickEntry(acting, ({ state }) => state === "listed");
  if (entry === null) return null;
  const who = await decideByTwo(acting, entry, {
    call: "suppress",
    args: { entryId: entry.id, why: "looked at", forMs: 24 * 3_600_000 },
    isDone: (now) => now?.muted !== undefined,
  });
  mute(acting, entry);
  return `${who} suppressed ${entry.id}`;
}

/** Off by two people and on again by one: the list is what it was, but what rests on the entry was taken back meanwhile. */
async function switchOver(acting: Acting): Promise<string | null> {
  const entry = pickEntry(acting, ({ state, addedBy }) => state === "listed" && addedBy !== null);
  if (entry === null) return null;
  const { random, people } = acting;
  const change = (state: string) => ({ entryId: entry.id, patch: { default: state }, why: "looked at" });
  const who = await decideByTwo(acting, entry, {
    call: "change",
    args: change("off"),
    isDone: (now) => now?.default === "off",
  });
  await surely(
    acting,
    () => random.pick(people).ask<Outcome>("change", change("on"), pickDoor(random)),
    async () => (await stored(acting, entry))?.default === "on",
  );
  entry.isAsAdded = false;
  return `${who} switched ${entry.id} off and on again`;
}

/** One asks for it, another approves. */
async function decideByTwo(
  acting: Acting,
  entry: Listed,
  of: { call: string; args: object; isDone: (now: WatchEntry | null) => boolean },
): Promise<string> {
  const { random, people, approvers } = acting;
  const proposer = random.pick(people);
  const approver = random.pick(approvers.filter(({ name }) => name !== proposer.name));
  const isDone = async () => of.isDone(await stored(acting, entry));
  await surely(
    acting,
    async () => {
      const asked = await proposer.ask<Outcome>(of.call, { ...of.args }, pickDoor(random));
      if (asked.done !== "proposed") throw new Error(`${of.call} was ${asked.done} without a second person`);
      const { proposalId, changeHash } = asked;
      await approver.ask<Outcome>("approve", { proposalId, changeHash }, pickDoor(random));
    },
    isDone,
  );
  return `${proposer.name} and ${approver.name}`;
}

async function dispute(acting: Acting): Promise<string | null> {
  const entry = pickEntry(acting, ({ state, wasDisputed }) => state === "listed" && !wasDisputed);
  if (entry === null) return null;
  const person = acting.random.pick(acting.people);
  await surely(
    acting,
    () => person.ask<Outcome>("dispute", { entryId: entry.id, why: "our market maker" }, pickDoor(acting.random)),
    async () => (await stored(acting, entry))?.muted !== undefined,
  );
  entry.wasDisputed = true;
  mute(acting, entry);
  return `${person.name} disputed ${entry.id}`;
}

/** Both; HTTP more often, because a command takes a second to start. */
function pickDoor(random: Random): Door {
  return random.chance(0.8) ? "http" : "cli";
}

function mute({ world }: Acting, entry: Listed): void {
  Object.assign(entry, { state: "muted", isAsAdded: false, mutedAfter: world.chain.sent() });
}

/** The four hours of a dispute: whatever is muted tells again. */
async function hoursPass(acting: Acting): Promise<string | null> {
  const muted = [...acting.book.values()].filter(({ state }) => state === "muted");
  if (muted.length === 0) return null;
  await letHoursPass(acting.world);
  for (const entry of muted) entry.state = "listed";
  return `hours passed: ${muted.map(({ id }) => id).join(", ")} tell again`;
}

/** What is proposed and rejected changes nothing. */
async function reject(acting: Acting): Promise<string | null> {
  const { random, people, approvers } = acting;
  const entry = pickEntry(acting, ({ state }) => state === "listed");
  if (entry === null) return null;
  const asked = await random.pick(people).ask<Outcome>("remove", { entryId: entry.id, why: "maybe" }, "cli");
  await random
    .pick(approvers)
    .ask<Outcome>("reject", { proposalId: (asked as { proposalId: string }).proposalId, why: "no" }, "cli");
  return `a removal of ${entry.id} was rejected`;
}

/** What the rules forbid is refused by either door, and changes nothing. */
async function refused(acting: Acting): Promise<string | null> {
  const { random, approvers } = acting;
  const entry = pickEntry(acting, ({ state }) => state === "listed");
  if (entry === null) return null;
  const door = pickDoor(random);
  const person = random.pick(approvers);
  const asked = await person.ask<Outcome>("remove", { entryId: entry.id, why: "alone" }, door);
  const { proposalId, changeHash } = asked as { proposalId: string; changeHash: string };
  await mustRefuse("to approve one's own", () => person.ask("approve", { proposalId, changeHash }, door));
  const other = approvers.find(({ name }) => name !== person.name) as Person;
  const wrong = "0".repeat(64);
  await mustRefuse("another hash", () => other.ask("approve", { proposalId, changeHash: wrong }, door));
  await person.ask<Outcome>("reject", { proposalId, why: "thought again" }, door);
  await mustRefuse("a closed proposal", () => other.ask("approve", { proposalId, changeHash }, door));
  return `refused three times by ${door}: ${entry.id}`;
}

async function mustRefuse(what: string, ask: () => Promise<unknown>): Promise<void> {
  const answer = await ask().catch((error: unknown) => error);
  if (!(answer instanceof RefusedError))
    throw new Error(`${what} was not refused: ${answer instanceof Error ? answer.message : JSON.stringify(answer)}`);
}
