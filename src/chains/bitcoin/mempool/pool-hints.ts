/** The ZMQ topic `sequence` as a hint which transactions came and went. What it says is looked up; what it drops is listed. */
import type { NodeConfig } from "../../../types/config.ts";
import type { Log } from "../../../types/log.ts";
import { HASH_BYTES } from "../double-hash.ts";
import { followZmq, type ZmqMessage } from "../zmq-feed.ts";
import type { PoolIds } from "./pool-ids.ts";

const TOPIC = "sequence";
// A hash, a label and a counter.
const MESSAGE_BYTES_MAX = 1_024;
const RECONNECT_MS = 5_000;
const ADDED = "A".charCodeAt(0);
const REMOVED = "R".charCodeAt(0);

export function followPoolHints(
  { node, ids, log }: { node: NodeConfig; ids: PoolIds; log: Log },
  wake: () => void,
  signal: AbortSignal,
): void {
  for (const url of node.zmq ?? []) {
    const feed = {
      node: node.name,
      url,
      topics: [TOPIC],
      maxMessageBytes: MESSAGE_BYTES_MAX,
      reconnectMs: RECONNECT_MS,
      log,
    };
    const onOpen = () => {
      ids.relist();
      wake();
    };
    const onMessage = (message: ZmqMessage) => {
      note(message, ids);
      wake();
    };
    void followZmq(feed, { onOpen, onMessage }, signal);
  }
}

/** The hash of a block that came or went says nothing about the pool. */
function note({ body }: ZmqMessage, ids: PoolIds): void {
  if (body.length <= HASH_BYTES) return;
  const txid = Buffer.from(body.subarray(0, HASH_BYTES)).toString("hex");
  if (body[HASH_BYTES] === ADDED) ids.push(txid);
  else if (body[HASH_BYTES] === REMOVED) ids.pull(txid);
}
