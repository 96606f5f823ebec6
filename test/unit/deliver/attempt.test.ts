import { describe, expect, test } from "@jest/globals";
import { afterAttempt } from "../../../src/deliver/attempt.ts";
import { failureText, SendCut, timeoutText } from "../../../src/deliver/failure-text.ts";
import type { SendOutcome } from "../../../src/types/sink.ts";

const NOW = 1_795_000_000_000;
type Retry = Extract<SendOutcome, { result: "retry" }>;

function retry(over: Partial<Retry> = {}): SendOutcome {
  return { result: "retry", status: 500, error: "answered 500", afterMs: null, excerpt: "", ...over };
}

function after(outcome: SendOutcome, over: { attemptNo?: number; roll?: number; scale?: number } = {}) {
  const { attemptNo = 1, roll = 0.5, scale = 1 } = over;
  return afterAttempt({ delivery: { attemptNo, severity: "high" }, outcome, now: NOW, random: () => roll, scale });
}

const pendingIn = (ms: number) => ({ state: "pending", nextAttemptAt: NOW + ms });

describe("afterAttempt", () => {
  test("a delivered attempt ends the delivery, also the last one", () => {
    const outcome: SendOutcome = { result: "delivered", status: 204, excerpt: "" };
    expect(after(outcome)).toEqual({ state: "delivered" });
    expect(after(outcome, { attemptNo: 17 })).toEqual({ state: "delivered" });
  });

  test("a rejected attempt is dead at once, with its own reason", () => {
    const outcome: SendOutcome = { result: "rejected", status: 410, error: "answered 410", excerpt: "" };
    expect(after(outcome)).toEqual({ state: "dead", reason: "rejected" });
  });

  test("the first failure is tried again after 5 s, the 16th after a day, the 17th never", () => {
    expect(after(retry())).toEqual(pendingIn(5_000));
    expect(after(retry(), { attemptNo: 16 })).toEqual(pendingIn(86_400_000));
    expect(after(retry(), { attemptNo: 17 })).toEqual({ state: "dead", reason: "exhausted" });
  });

  test("a receiver that is never back gets exactly 17 attempts", () => {
    let attempts = 1;
    while (after(retry(), { attemptNo: attempts }).state === "pending") attempts += 1;
    expect(attempts).toBe(17);
  });

  test("the wait the receiver asked for is kept", () => {
    expect(after(retry({ status: 503, afterMs: 45_000 }))).toEqual(pendingIn(45_000));
  });

  test.each([
    ["429", { status: 429, error: "answered 429" }],
    ["504", { status: 504, error: "answered 504" }],
    ["our own timeout", { status: null, error: timeoutText(15_000) }],
    ["a dial that times out", { status: null, error: failureText({ code: "ETIMEDOUT" }) }],
    ["a connect timeout of undici", { status: null, error: failureText({ code: "UND_ERR_CONNECT_TIMEOUT" }) }],
    ["a cut by the clock", { status: null, error: failureText(new SendCut(timeoutText(1))) }],
  ])("%s is overload: at least a minute of quiet, scaled", (_name, over) => {
    expect(after(retry(over), { roll: 0 })).toEqual(pendingIn(60_000));
    expect(after(retry(over), { roll: 0, scale: 0.01 })).toEqual(pendingIn(600));
  });

  test.each([
    ["500", { status: 500 }],
    ["503 without Retry-After", { status: 503 }],
    ["a refused connection", { status: null, error: failureText({ code: "ECONNREFUSED" }) }],
  ])("%s is not overload: tried again after 5 s", (_name, over) => {
    expect(after(retry(over))).toEqual(pendingIn(5_000));
  });

  test("attempt number 0 is a bug of ours", () => {
    expect(() => after(retry(), { attemptNo: 0 })).toThrow("assertion failed");
  });
});

const withCode = (code: string) => Object.assign(new Error("x"), { code });

describe("failureText", () => {
  test.each([
    ["ECONNREFUSED", "connection refused"],
    ["ECONNRESET", "connection closed before an answer came"],
    ["UND_ERR_SOCKET", "connection closed before an answer came"],
    ["ENOTFOUND", "host name not found"],
    ["CERT_HAS_EXPIRED", "TLS certificate not accepted (CERT_HAS_EXPIRED)"],
    ["DEPTH_ZERO_SELF_SIGNED_CERT", "TLS certificate not accepted (DEPTH_ZERO_SELF_SIGNED_CERT)"],
    ["ERR_TLS_CERT_ALTNAME_INVALID", "TLS certificate not accepted (ERR_TLS_CERT_ALTNAME_INVALID)"],
    ["UNABLE_TO_VERIFY_LEAF_SIGNATURE", "TLS certificate not accepted (UNABLE_TO_VERIFY_LEAF_SIGNATURE)"],
    ["EPROTO", "TLS handshake failed (EPROTO)"],
    ["ERR_SSL_WRONG_VERSION_NUMBER", "TLS handshake failed (ERR_SSL_WRONG_VERSION_NUMBER)"],
  ])("%s reads %p", (code, text) => {
    expect(failureText(withCode(code))).toBe(text);
  });

  test("an unknown error is told without its URLs and secrets", () => {
    const error = new Error("odd at https://hooks.example/T0/secret?k=1 with whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
    expect(failureText(error)).toBe("odd at https://hooks.example/… with whsec_…");
  });

  test.each([null, undefined, 7, "text", {}, { code: 7 }])("%p makes a text too", (thrown) => {
    expect(typeof failureText(thrown)).toBe("string");
  });
});
