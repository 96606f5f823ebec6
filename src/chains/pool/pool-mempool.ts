/**
 * The mempools of a chain's nodes as one: what any node in use shows is pending, and what one of them still shows is not
 * gone. No operator has to agree: a pending transaction is believed for its signature, and is only ever a warning.
 */
import { describeError, UnavailableError } from "../../lib/errors.ts";
import { redactText } from "../../lib/redact.ts";
import type { MempoolSource, TransactionFate } from "../../types/chain.ts";
import type { Log } from "../../types/log.ts";
import type { Endpoint } from "./endpoint.ts";

interface Source {
  readonly endpoint: Endpoint;
  readonly mempool: MempoolSource;
}

// The first that any node says: it still waits; else it is in a block (the store asks whether in one of ours).
const FATES: readonly TransactionFate["at"][] = ["pool", "block", "replaced", "nowhere"];

/** Null where no node looks at its mempool. */
export function createPoolMempool(endpoints: readonly Endpoint[], log: Log): MempoolSource | null {
  const sources = endpoints.flatMap((endpoint): Source[] => {
    const { mempool } = endpoint.adapter;
    return mempool === undefined ? [] : [{ endpoint, mempool }];
  });
  const operators = [...new Set(endpoints.map(({ operator }) => operator))];

  /** Not through `endpoint.ask`: how a mempool is answered says nothing about a node's blocks. */
  async function askEach<T>(
    work: (mempool: MempoolSource) => Promise<T>,
    signal: AbortSignal,
  ): Promise<{ answers: T[]; errors: unknown[] }> {
    const asked = sources.filter(({ endpoint }) => endpoint.isUsable());
    if (asked.length === 0) throw new UnavailableError("no node of this chain is in use: no mempool is read");
    const answers: T[] = [];
    const errors: unknown[] = [];
    await Promise.all(
      asked.map(async ({ endpoint, mempool }) => {
        try {
          answers.push(await work(mempool));
        } catch (error) {
          if (signal.aborted || typeof (error as { retryable?: unknown } | null)?.retryable !== "boolean") throw error;
          errors.push(error);
          log.debug({ node: endpoint.name, error: redactText(describeError(error)) }, "one node's mempool not read");
        }
      }),
    );
    return { answers, errors };
  }

  if (sources.length === 0) return null;
  return {
    // Which of several operators showed one is not kept, and nobody is named who did not.
    trust: { proven: false, operators: operators.length === 1 ? operators : [], missing: [], traced: false },

    async take(wants, signal, watched) {
      const { answers, errors } = await askEach((mempool) => mempool.take(wants, signal, watched), signal);
      if (answers.length === 0) throw errors[0];
      return [...new Map(answers.flat().map((one) => [one.hash, one])).values()];
    },

    async fateOf(of, signal) {
      const { answers, errors } = await askEach((mempool) => mempool.fateOf(of, signal), signal);
      const [first] = answers.toSorted((a, b) => FATES.indexOf(a.at) - FATES.indexOf(b.at));
      // A node that did not answer may have it: that is not gone.
      if (first === undefined || (first.at === "nowhere" && errors.length > 0)) throw errors[0];
      return first;
    },

    // What one node's answers show is seen.
    inputsUnseen: () => sources.every(({ mempool }) => mempool.inputsUnseen?.() === true),

    skipped: () => sources.reduce((sum, { mempool }) => sum + mempool.skipped(), 0),

    onHint(wake, signal) {
      for (const { mempool } of sources) mempool.onHint(wake, signal);
    },
  };
}
