/** What answers of a node have in common: its error codes, and hashes. */
import { MalformedAnswerError } from "../answer-fields.ts";
import { RpcError } from "../rpc-envelope.ts";

/** Of Bitcoin Core, rpc/protocol.h. */
export const RPC_NOT_FOUND = -5;
export const RPC_INVALID_PARAMETER = -8;
export const RPC_METHOD_NOT_FOUND = -32_601;

/** True where the node answered with this error. */
export function isRefusal(error: unknown, code: number): boolean {
  return error instanceof RpcError && error.rpcCode === code;
}

/** A hash in display order. Throws MalformedAnswerError on anything else; `what` begins its sentence. */
export function hashIn(value: unknown, what: string): string {
  if (typeof value !== "string" || !/^[0-9a-f]{64}$/.test(value))
    throw new MalformedAnswerError(`${what} is not a hash of 32 bytes`);
  return value;
}
