/** Asks a running daemon's screening as a pipeline does. */
import { waitFor } from "../../support/wait-for.ts";
import type { AnswerItem, ScreenAnswer } from "../../../src/daemon/screen-answer.ts";
import { PATIENCE_MS } from "./heistwatch.ts";

export interface Answered {
  readonly status: number;
  readonly result?: ScreenAnswer;
  readonly error?: string;
}

export interface Pipeline {
  /** Whatever comes back. */
  post(body: unknown, bearer?: string): Promise<Answered>;
  /** Throws unless it is answered. */
  ask(...items: readonly object[]): Promise<ScreenAnswer>;
  /** Verdict and codes of one item. */
  tell(item: object): Promise<string>;
  /** Until an item is answered so. */
  until(item: object, told: string): Promise<AnswerItem>;
}

export function createPipeline({ httpPort, token }: { httpPort: number; token: () => string }): Pipeline {
  async function post(body: unknown, bearer = token()): Promise<Answered> {
    const answer = await fetch(`http://127.0.0.1:${httpPort}/v1/screen`, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${bearer}` },
      body: JSON.stringify(body),
    });
    return { status: answer.status, ...((await answer.json()) as Omit<Answered, "status">) };
  }
  async function ask(...items: readonly object[]): Promise<ScreenAnswer> {
    const { status, result, error } = await post({ items });
    if (result === undefined) throw new Error(`screening answered ${status}: ${error}`);
    return result;
  }
  const first = async (item: object) => (await ask(item)).items[0] as AnswerItem;
  return {
    post,
    ask,
    tell: async (item) => toldOf(await first(item)),
    async until(item, told) {
      let last = "";
      try {
        return await waitFor(
          told,
          async () => {
            const answered = await first(item);
            last = toldOf(answered);
            return last === told ? answered : null;
          },
          { timeoutMs: PATIENCE_MS, intervalMs: 100 },
        );
      } catch (error) {
        throw new Error(`${JSON.stringify(item)} was never ${told}; last: ${last}`, { cause: error });
      }
    },
  };
}

export function toldOf({ verdict, reasons }: Pick<AnswerItem, "verdict" | "reasons">): string {
  return [verdict, ...reasons.map(({ code }) => code)].join(" ");
}
