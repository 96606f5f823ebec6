/** The nodes of one operator: they count once, and one stands in for another. */
import type { Header } from "../../types/chain.ts";
import type { ContractCaller } from "../../types/nodes.ts";
import type { OperatorAnswer } from "./agreement.ts";
import type { Endpoint } from "./endpoint.ts";

export interface Operator {
  readonly name: string;
  readonly endpoints: readonly Endpoint[];
}

export function operatorsOf(endpoints: readonly Endpoint[]): Operator[] {
  const names = [...new Set(endpoints.map((endpoint) => endpoint.operator))];
  return names.map((name) => ({ name, endpoints: endpoints.filter((endpoint) => endpoint.operator === name) }));
}

/** The best first. */
export function usable(endpoints: readonly Endpoint[]): Endpoint[] {
  return endpoints.filter((endpoint) => endpoint.isUsable()).toSorted((a, b) => a.score() - b.score());
}

// One retry on the same node hides a dropped connection; more would be a storm.
const TRIES_MIN = 2;

/** Asks the best node, then the others; throws the last error. Undefined: there is nobody to ask. */
export async function askOperator<T>(
  endpoints: readonly Endpoint[],
  work: (endpoint: Endpoint) => Promise<T>,
  signal: AbortSignal,
): Promise<T | undefined> {
  const order = usable(endpoints);
  const [first] = order;
  if (first === undefined) return undefined;
  let lastError: unknown = null;
  for (const endpoint of order.length < TRIES_MIN ? [first, first] : order) {
    if (!endpoint.isUsable()) continue;
    try {
      return await work(endpoint);
    } catch (error) {
      if (signal.aborted || typeof (error as { retryable?: unknown } | null)?.retryable !== "boolean") throw error;
      lastError = error;
    }
  }
  throw lastError;
}

/** What an operator says about a height. `lags`: it is not waited for where it has nothing. */
export async function headerAnswer(
  { endpoints }: Operator,
  { number, lags, deadline }: { number: number; lags: boolean; deadline: () => AbortSignal },
  signal: AbortSignal,
): Promise<OperatorAnswer> {
  try {
    const header = await askOperator<Header | null>(
      endpoints,
      (endpoint) => {
        const limit = AbortSignal.any([signal, deadline()]);
        return endpoint.ask(
          async (adapter) => {
            const answer = await adapter.headerAt(number, limit);
            if (answer !== null) endpoint.gave(answer.number);
            return answer;
          },
          { what: "header", signal, number },
        );
      },
      signal,
    );
    if (header === undefined) return { kind: "away" };
    if (header === null) return { kind: lags ? "away" : "none" };
    return { kind: "header", header };
  } catch (error) {
    if (signal.aborted || typeof (error as { retryable?: unknown } | null)?.retryable !== "boolean") throw error;
    // Its last node just went down or into quarantine: it was waited for long enough.
    return { kind: usable(endpoints).length === 0 ? "away" : "failed" };
  }
}

/** An own node of an operator, for questions to contracts; null: none in use. What they cost says nothing about its blocks. */
export function callerOf({ name, endpoints }: Operator): ContractCaller | null {
  for (const { name: node, own, adapter } of usable(endpoints)) {
    if (!own || adapter.callContract === undefined) continue;
    return { node, operator: name, call: adapter.callContract.bind(adapter) };
  }
  return null;
}
