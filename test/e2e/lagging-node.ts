/**
 * A load balancer in front of one node, as seen from outside: each request reaches a view of the chain that may be many
 * blocks old. What is above a view is not there (`null`), everything below is true: such a chain never forks.
 */
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import type { Anvil } from "../support/anvil.ts";

export interface LaggingNode {
  readonly url: string;
  /** From now on, asked anew for every request. */
  lagBy(blocks: () => number): void;
  /** Requests answered with less than the node has. */
  withheld(): number;
  stop(): Promise<void>;
}

interface RpcRequest {
  readonly id: number;
  readonly method: string;
  readonly params: readonly unknown[];
}

// What the node's own tag says: two epochs of 32 slots behind the head.
const FINAL_BEHIND = 64;

export async function startLaggingNode(anvil: Anvil): Promise<LaggingNode> {
  let lag = () => 0;
  let withheld = 0;

  async function answer({ method, params }: RpcRequest): Promise<unknown> {
    const head = Number(await anvil.rpc<string>("eth_blockNumber"));
    const view = Math.max(0, head - lag());
    const [block, ...rest] = params;
    if (method === "eth_blockNumber") return hex(view);
    if (method === "eth_getBlockByNumber") {
      const number = block === "finalized" ? Math.max(0, view - FINAL_BEHIND) : Number(block);
      return number > view ? hidden() : anvil.rpc(method, [hex(number), ...rest]);
    }
    const whole = await anvil.rpc(method, params);
    if (method === "eth_getBlockByHash") return numberOf(whole, "number") > view ? hidden() : whole;
    if (method === "eth_getBlockReceipts")
      return Array.isArray(whole) && numberOf(whole[0], "blockNumber") > view ? hidden() : whole;
    return whole;
  }

  function hidden(): null {
    withheld += 1;
    return null;
  }

  const server = createServer((incoming, outgoing) => {
    const reply = async () => {
      const request = JSON.parse(await textOf(incoming)) as RpcRequest;
      const result = await answer(request);
      outgoing.end(JSON.stringify({ jsonrpc: "2.0", id: request.id, result }));
    };
    reply().catch(() => outgoing.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject).listen(0, "127.0.0.1", resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    lagBy: (blocks) => {
      lag = blocks;
    },
    withheld: () => withheld,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function textOf(incoming: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("utf8");
}

function numberOf(value: unknown, field: string): number {
  if (typeof value !== "object" || value === null) return -1;
  return Number((value as Record<string, unknown>)[field] ?? -1);
}

function hex(number: number): string {
  return `0x${number.toString(16)}`;
}
