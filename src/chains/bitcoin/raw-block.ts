/** A block's bytes alone, without the coins it spends. Proves nothing. */
import type { NodeClient } from "./node-client.ts";
import { isRefusal, RPC_NOT_FOUND } from "./node-answers.ts";
import { bytesOf } from "./verbose-block.ts";

/** What `read` makes of them; the bytes are given back after it. Null: the node does not have the block (any more). */
export async function withRawBlock<T>(
  client: NodeClient,
  { hash, read }: { hash: string; read: (block: Uint8Array) => T },
  signal: AbortSignal,
): Promise<T | null> {
  const reply = await client.rest(`block/${hash}.bin`, signal);
  if (reply.found) {
    try {
      return read(reply.bytes);
    } finally {
      reply.release();
    }
  }
  // Without a word: REST is off.
  if (reply.why !== "") return null;
  try {
    return read(bytesOf(await client.call("getblock", [hash, 0], signal)));
  } catch (error) {
    if (isRefusal(error, RPC_NOT_FOUND)) return null;
    throw error;
  }
}
