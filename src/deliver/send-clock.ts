/**
 * One clock over everything a send does: looking up, connecting, sending, reading. A slow receiver holds a slot for
 * `timeoutMs`, whatever it does, and whatever the network does is an outcome, never an exception.
 */
import type { SendOutcome } from "../types/sink.ts";
import { SendCut, failureText, timeoutText } from "./failure-text.ts";

/** What ends a send early: the clock, the caller, or a receiver that misbehaves. */
export interface Cut {
  readonly signal: AbortSignal;
  /** Rejects when the send is cut: to race against what does not listen to the signal, or not at once. */
  readonly happened: Promise<never>;
  now(text: string): void;
}

/** Runs `send`, which ends soon after its cut; what it throws is told as a retry. */
export async function withinTime(
  of: { readonly caller: AbortSignal; readonly timeoutMs: number },
  send: (cut: Cut) => Promise<SendOutcome>,
): Promise<SendOutcome> {
  const { cut, clear } = createCut(of.caller, of.timeoutMs);
  try {
    // Some clients would dial first and look at the signal then.
    cut.signal.throwIfAborted();
    return await send(cut);
  } catch (error) {
    return retryLater(failureText(error));
  } finally {
    clear();
  }
}

/** Nothing came back, or nothing that says how long to wait. */
export function retryLater(error: string): SendOutcome {
  return { result: "retry", status: null, error, afterMs: null, excerpt: "" };
}

function createCut(caller: AbortSignal, timeoutMs: number): { cut: Cut; clear: () => void } {
  const controller = new AbortController();
  const { promise, reject } = Promise.withResolvers<never>();
  promise.catch(() => undefined);
  const now = (text: string) => {
    const reason = new SendCut(text);
    controller.abort(reason);
    reject(reason);
  };
  const onCallerAbort = () => now("stopped before an answer came");
  const timer = setTimeout(() => now(timeoutText(timeoutMs)), timeoutMs);
  if (caller.aborted) onCallerAbort();
  else caller.addEventListener("abort", onCallerAbort, { once: true });
  return {
    cut: { signal: controller.signal, happened: promise, now },
    clear() {
      clearTimeout(timer);
      caller.removeEventListener("abort", onCallerAbort);
    },
  };
}
