/**
 * Work that costs about the same for one as for many: what is asked while rounds are under way goes into the next one
 * together. Nobody waits for others to come: the first asker's round begins at once.
 */
import { UnavailableError } from "./errors.ts";

export interface RoundsOptions<I, O> {
  /** For people: what did not come in time. */
  readonly name: string;
  /** So many go into one round. */
  readonly itemsMax: number;
  /** So many rounds at the same time: while one waits for a disk, another can be made. */
  readonly atOnce: number;
  /** Whoever comes while so many wait is refused. */
  readonly waitingMax: number;
  /** Whoever waited for so long gives up; the work goes on, and so does the wait for it before the next round. */
  readonly deadlineMs: number;
  /** The results in the order of the items. */
  readonly work: (items: readonly I[]) => Promise<readonly O[]>;
}

interface Waiting<I, O> {
  readonly item: I;
  readonly resolve: (result: O) => void;
  readonly reject: (error: unknown) => void;
}

/** Throws UnavailableError when it is too much, or takes too long. */
export function createRounds<I, O>(options: RoundsOptions<I, O>): (item: I) => Promise<O> {
  const { name, itemsMax, atOnce, waitingMax, deadlineMs, work } = options;
  let waiting: Waiting<I, O>[] = [];
  let underWay = 0;

  async function run(): Promise<void> {
    underWay += 1;
    // Those of the same turn of the event loop come along.
    await Promise.resolve();
    while (waiting.length > 0) {
      const round = waiting.slice(0, itemsMax);
      waiting = waiting.slice(itemsMax);
      try {
        const results = await work(round.map(({ item }) => item));
        for (const [place, { resolve }] of round.entries()) resolve(results[place] as O);
      } catch (error) {
        for (const { reject } of round) reject(error);
      }
    }
    underWay -= 1;
  }

  return async (item) => {
    if (waiting.length >= waitingMax) throw new UnavailableError(`${name}: too much is asked at once`);
    const result = new Promise<O>((resolve, reject) => waiting.push({ item, resolve, reject }));
    if (underWay < atOnce) void run();
    return inTime(result, { name, deadlineMs });
  };
}

/** The result, or UnavailableError after so long; what comes later, failures too, nobody hears of. */
export async function inTime<T>(
  work: Promise<T>,
  { name, deadlineMs }: { name: string; deadlineMs: number },
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new UnavailableError(`${name}: no answer within ${deadlineMs} ms`)), deadlineMs);
  });
  work.catch(() => undefined);
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
