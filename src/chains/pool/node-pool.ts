/**
 * Several nodes of one chain as one adapter.
 *
 * Always holds: nothing is a block of the chain but what every operator that answers names; an operator that is missing
 * is named in the trust of each block; where operators disagree, nothing is told as the chain's (`DisputeError`).
 * Headers come from every operator, the heavy content from the fastest node that named the block.
 */
import { AppError, UnavailableError } from "../../lib/errors.ts";
import type { Block, Candidates, ChainAdapter, Header, OperatorView } from "../../types/chain.ts";
import type { EvidenceClaims, FoundEvidence } from "../../types/evidence.ts";
import type { Log } from "../../types/log.ts";
import type { ContractCaller, Dispute, Evidence, PoolStatus } from "../../types/nodes.ts";
import { type Agreement, agreementOf, reachedBy } from "./agreement.ts";
import { afterAgreement, disputeOf, type DisputeState } from "./dispute.ts";
import { createEndpoint, type Endpoint, type PoolNode, type Request } from "./endpoint.ts";
import { type FrontEntry, frontAt, noteFront } from "./front.ts";
import { MISSING_AFTER_MS } from "./health.ts";
import { createPoolMempool } from "./pool-mempool.ts";
import { isContract, placeOf } from "./own-nodes.ts";
import { askOperator, callerOf, headerAnswer, type Operator, operatorsOf, usable } from "./operator.ts";
import { findEvidence } from "./pool-evidence.ts";

/** Operators name different blocks at one height. */
export class DisputeError extends AppError {
  override readonly code = "dispute";
  override readonly retryable = true;
}

export interface NodePoolOptions {
  /** At least one. */
  readonly nodes: readonly PoolNode[];
  /** Operators that must agree for a block to be final. */
  readonly quorum: number;
  readonly log: Log;
  /** Unix milliseconds. */
  readonly now: () => number;
  /** A node was caught: what was asked and answered. */
  readonly onLie: (evidence: Evidence) => void;
}

export interface NodePool extends ChainAdapter {
  status(): PoolStatus;
  /** Takes a node out for a time; throws where no other could serve. */
  drain(name: string, forMs: number): void;
  /** Takes it back at once, also out of quarantine. */
  undrain(name: string): void;
  /** One own node in use of each operator, for questions to contracts. */
  ownCallers(): ContractCaller[];
  /** Of whichever node still has the block; where none has, what is lacking says why. */
  evidence(claims: EvidenceClaims, signal: AbortSignal): Promise<FoundEvidence>;
}

// A header is small: a node that takes longer is as good as away. Bodies keep the node's own limit.
const HEADER_DEADLINE_MS = 4_000;
// What blocks were agreed on, for their bodies: more than are ever fetched side by side.
const VOUCHED_MAX = 1_024;

interface Vouched {
  readonly operators: readonly string[];
  readonly missing: readonly string[];
}

export function createNodePool(options: NodePoolOptions): NodePool {
  const { log, now, quorum } = options;
  const endpoints = options.nodes.map((node) => createEndpoint({ node, now, onLie: caught }));
  const [first] = options.nodes;
  if (first === undefined) throw new Error("assertion failed: a pool has a node");
  const { family, chainId, blockTimeMs, normalizeAddress, equivalents } = first.adapter;
  const operators = operatorsOf(endpoints);
  const mempool = createPoolMempool(endpoints, log);
  // Three block times, so that slow and quick chains are judged alike, within what an alarm in 30 s leaves.
  const lagGraceMs = Math.min(Math.max(3 * blockTimeMs, MISSING_AFTER_MS), 15_000);
  // As long as a fork of two healthy nodes usually lasts.
  const disputeGraceMs = Math.min(Math.max(2 * blockTimeMs, 1_000), 12_000);
  const vouched = new Map<string, Vouched>();
  const missingSince = new Map<string, number>();
  const probes = new Set<Promise<void>>();
  let front: readonly FrontEntry[] = [];
  let dispute: DisputeState | null = null;
  let agreedHead = -1;

  function caught(evidence: Evidence): void {
    const { node, operator, why } = evidence;
    log.error({ node, operator, why }, "node quarantined: it was caught, the others go on without it");
    options.onLie(evidence);
  }

  const namedBy = ({ endpoints: nodes }: Operator) => Math.max(...nodes.map((node) => node.named()));
  const isAway = (operator: Operator) => usable(operator.endpoints).length === 0;
  /** Behind what somebody else who is in use has named for some time; who is alone lags behind nobody. */
  function lags(operator: Operator): boolean {
    const limit = frontAt(front, now() - lagGraceMs);
    const isAhead = (other: Operator) => other !== operator && !isAway(other) && namedBy(other) >= limit;
    return namedBy(operator) < limit && operators.some(isAhead);
  }

  // A lone operator gets all the time its node is configured with: nobody else could answer meanwhile.
  const deadline = () =>
    operators.length === 1 ? new AbortController().signal : AbortSignal.timeout(HEADER_DEADLINE_MS);

  function remember(hash: string, of: Vouched): void {
    vouched.delete(hash);
    vouched.set(hash, of);
    for (const oldest of vouched.keys()) {
      if (vouched.size <= VOUCHED_MAX) break;
      vouched.delete(oldest);
    }
  }

  /** Nodes out of use are tried beside the others, each on its own clock: nobody waits for them. */
  function startProbes(signal: AbortSignal): void {
    for (const endpoint of endpoints.filter((one) => one.isDue(operators.every(isAway)))) {
      const limit = AbortSignal.any([signal, AbortSignal.timeout(2 * HEADER_DEADLINE_MS)]);
      const probe = endpoint
        .probe(limit, (header) => isWhatOthersName(header, limit))
        .finally(() => probes.delete(probe));
      probes.add(probe);
      void probe.catch(() => undefined);
    }
  }

  /** Without any other node in use, the proof of its content is all there is. */
  async function isWhatOthersName(header: Header, signal: AbortSignal): Promise<boolean> {
    if (operators.every(isAway)) return true;
    const agreement = await askAll(header.number, signal);
    return agreement.kind === "agreed" && agreement.header.hash === header.hash;
  }

  const isAlone = (endpoint: Endpoint) => endpoints.every((one) => one === endpoint || !one.isUsable());

  /** Why there is nobody to ask, as the node said it: a person must see what it is. */
  function nobody(): unknown {
    const error = endpoints.map((endpoint) => endpoint.lastError()).find((one) => one !== null);
    return error ?? new UnavailableError("no node of this chain is in use: all are drained");
  }

  async function headNumber(signal: AbortSignal): Promise<number> {
    startProbes(signal);
    // One node alone and out of use: its probe is what tells that it is back.
    if (operators.every(isAway)) await Promise.all(probes);
    const answers = await Promise.allSettled(
      operators.map((operator) =>
        askOperator(
          operator.endpoints,
          (endpoint) =>
            endpoint.ask(
              async (adapter) => {
                const number = await adapter.headNumber(AbortSignal.any([signal, deadline()]));
                endpoint.claimed(number);
                return number;
              },
              { what: "head", signal },
            ),
          signal,
        ),
      ),
    );
    noteMissing();
    const claims = answers.flatMap((answer, index) =>
      answer.status === "fulfilled" && answer.value !== undefined
        ? [{ number: answer.value, operator: operators[index] }]
        : [],
    );
    const keepingUp = claims.filter(({ operator }) => operator !== undefined && !lags(operator));
    const heads = (keepingUp.length > 0 ? keepingUp : claims).map((claim) => claim.number);
    const number = reachedBy(heads, Math.min(quorum, heads.length));
    if (number === null) throw reasonOf(answers) ?? nobody();
    agreedHead = number;
    return number;
  }

  function noteMissing(): void {
    for (const operator of operators) {
      if (!isAway(operator) && !lags(operator)) missingSince.delete(operator.name);
      else if (!missingSince.has(operator.name)) missingSince.set(operator.name, now());
    }
  }

  async function askAll(number: number, signal: AbortSignal): Promise<Agreement> {
    const answers = await Promise.all(
      operators.map(async (operator) => {
        const answer = await headerAnswer(operator, { number, lags: lags(operator), deadline }, signal);
        if (answer.kind === "header") front = noteFront(front, { number, now: now(), keepMs: lagGraceMs });
        return [operator.name, answer] as const;
      }),
    );
    return agreementOf(new Map(answers));
  }

  async function headerAt(number: number, signal: AbortSignal): Promise<Header | null> {
    const agreement = await askAll(number, signal);
    noteMissing();
    const before = dispute;
    const heard = new Set(
      operators
        .filter(({ endpoints: nodes }) => nodes.some((node) => !node.isDrained() && !node.isQuarantined()))
        .map(({ name }) => name),
    );
    dispute = afterAgreement(dispute, { number, agreement, heard, now: now(), graceMs: disputeGraceMs });
    tellDispute(disputeOf(before), disputeOf(dispute));
    if (dispute?.open === true && number >= dispute.height) throw disputeError(disputeOf(dispute) as Dispute);
    switch (agreement.kind) {
      case "agreed":
        remember(agreement.header.hash, agreement);
        return agreement.header;
      case "absent":
      case "disputed":
        return null;
      case "unanswered":
        if (operators.every(isAway)) throw nobody();
        throw new UnavailableError(`${agreement.operators.join(", ")} did not answer for block ${number}`);
    }
  }

  function tellDispute(before: Dispute | null, after: Dispute | null): void {
    if (before === null && after !== null)
      log.error(
        { height: after.height, sides: after.sides },
        "operators disagree: the chain stands still, both sides are told",
      );
    if (before !== null && after === null) log.info({ height: before.height }, "operators agree again");
  }

  async function blockOf(...[header, signal, ...more]: Parameters<ChainAdapter["blockOf"]>): Promise<Block | null> {
    const trust = vouched.get(header.hash) ?? (await vouch(header, signal));
    const able = usable(endpoints.filter(({ operator }) => trust.operators.includes(operator)));
    let lastError: unknown = null;
    for (const endpoint of able) {
      try {
        const block = await endpoint.ask((adapter) => adapter.blockOf(header, signal, ...more), {
          what: "content",
          signal,
          number: header.number,
        });
        if (block === null) continue;
        return { ...block, trust: { ...block.trust, operators: trust.operators, missing: trust.missing } };
      } catch (error) {
        if (signal.aborted || typeof (error as { retryable?: unknown } | null)?.retryable !== "boolean") throw error;
        lastError = error;
        // Whoever gave it was caught: what it vouched for is asked anew.
        if (endpoint.isQuarantined()) vouched.delete(header.hash);
      }
    }
    if (lastError !== null) throw lastError;
    if (able.length === 0) throw nobody();
    return null;
  }

  /** A block known from before, asked about now. */
  async function vouch(header: Header, signal: AbortSignal): Promise<Vouched> {
    const current = await headerAt(header.number, signal);
    const known = vouched.get(header.hash);
    if (current?.hash === header.hash && known !== undefined) return known;
    throw new UnavailableError(`block ${header.number} is not agreed on (any more)`, {
      details: { hash: header.hash },
    });
  }

  /** Asks own nodes only, and every one of them: what one leaves out another may name. */
  async function candidates(
    ...[addresses, range, signal]: Parameters<NonNullable<ChainAdapter["candidates"]>>
  ): Promise<Candidates | null> {
    const able = usable(endpoints).filter(({ own, adapter }) => own && adapter.candidates !== undefined);
    const answers = await Promise.allSettled(
      able.map((endpoint) =>
        endpoint.ask(async (adapter) => (await adapter.candidates?.(addresses, range, signal)) ?? null, {
          what: "content",
          signal,
        }),
      ),
    );
    const found = answers.flatMap((answer) => (answer.status === "fulfilled" ? (answer.value ?? []) : []));
    const failed = reasonOf(answers);
    if (found.length === 0 && failed !== null) throw failed;
    if (found.length === 0) return null;
    return {
      numbers: [...new Set(found.flatMap(({ numbers }) => numbers))].toSorted((a, b) => a - b),
      covers: found.every(({ covers }) => covers === "everything") ? "everything" : "logs",
    };
  }

  /** Never less than the quorum, whoever is missing: late is better than wrong. */
  async function finalizedNumber(signal: AbortSignal): Promise<number> {
    const answers = await Promise.all(
      operators.map((operator) =>
        askOperator(
          operator.endpoints,
          async (endpoint) => {
            const number = await endpoint.ask((adapter) => adapter.finalizedNumber(signal), { what: "head", signal });
            // A block above the node's own head is nothing it can know to be final.
            return number <= endpoint.head() ? number : -1;
          },
          signal,
        ).catch((error: unknown) => {
          if (operators.length === 1) throw error;
          return undefined;
        }),
      ),
    );
    return (
      reachedBy(
        answers.flatMap((answer) => answer ?? []),
        quorum,
      ) ?? -1
    );
  }

  function views(): OperatorView[] {
    if (operators.length === 1) return [];
    return operators.filter((operator) => !isAway(operator)).map((operator) => viewOf(operator));
  }

  function viewOf({ name, endpoints: nodes }: Operator): OperatorView {
    const ask = <T>(work: (adapter: ChainAdapter) => Promise<T | null>, of: Request) =>
      askOperator(nodes, (endpoint) => endpoint.ask(work, of), of.signal).then((answer) => answer ?? null);
    return {
      operator: name,
      headerAt: (number, signal) =>
        ask((adapter) => adapter.headerAt(number, signal), { what: "header", signal, number }),
      blockOf: (header, signal) =>
        ask((adapter) => adapter.blockOf(header, signal), { what: "content", signal, number: header.number }),
    };
  }

  function named(name: string): Endpoint {
    const endpoint = endpoints.find((one) => one.name === name);
    if (endpoint === undefined) throw new AppError(`there is no node ${name}`);
    return endpoint;
  }

  return {
    family,
    chainId,
    blockTimeMs,
    normalizeAddress,
    headNumber,
    headerAt,
    blockOf,
    candidates,
    finalizedNumber,
    views,
    isContract: (address, signal) => isContract(endpoints, address, signal),
    placeOf: (transaction, signal) => placeOf(endpoints, transaction, signal),
    ...(equivalents === undefined ? {} : { equivalents }),
    evidence: (claims, signal) => findEvidence(endpoints, claims, signal),
    ...(mempool === null ? {} : { mempool }),
    onHint(wake, signal) {
      for (const { adapter } of options.nodes) adapter.onHint?.(wake, signal);
    },
    async close() {
      await Promise.all(options.nodes.map(({ adapter }) => adapter.close()));
      await Promise.allSettled(probes);
    },
    status: () => ({
      operators: operators.map(({ name }) => name),
      quorum,
      agreedHead,
      missing: operators.flatMap((operator) => {
        const since = missingSince.get(operator.name);
        return since === undefined ? [] : [{ operator: operator.name, since, why: whyMissing(operator) }];
      }),
      dispute: disputeOf(dispute),
      nodes: operators.flatMap((operator) => operator.endpoints.map((endpoint) => endpoint.status(lags(operator)))),
    }),
    drain(name, forMs) {
      const endpoint = named(name);
      if (endpoint.isUsable() && isAlone(endpoint))
        throw new AppError(`${name} is the only node in use: without it the chain would not be watched`);
      endpoint.drain(forMs);
    },
    undrain: (name) => named(name).undrain(),
    ownCallers: () => operators.flatMap((operator) => callerOf(operator) ?? []),
  };
}

function whyMissing({ endpoints }: Operator): string {
  return endpoints
    .map((endpoint) => endpoint.status(true))
    .map(
      ({ name, state, head, detail }) => `${name} is ${state} at block ${head}${detail === "" ? "" : ` (${detail})`}`,
    )
    .join("; ");
}

function disputeError({ height, sides }: Dispute): DisputeError {
  const claims = sides.map(({ hash, operators }) => `${operators.join(" and ")} ${hash}`);
  return new DisputeError(
    `operators disagree about block ${height}: ${claims.join(", ")}. Both sides are told, nothing is taken as the chain's until they agree, or a person drains one of them`,
    { details: { height, sides } },
  );
}

function reasonOf(answers: readonly PromiseSettledResult<unknown>[]): unknown {
  return answers.find((answer) => answer.status === "rejected")?.reason ?? null;
}
