/** One recorded block as an Ethereum node on this machine tells it: proven and read like any other node's. */
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { RecordedBlock } from "./recorded.ts";

export interface RecordedNode {
  readonly url: string;
  stop(): Promise<void>;
}

const METHOD_MISSING = -32_601;

export async function startRecordedNode({ chain, block }: RecordedBlock): Promise<RecordedNode> {
  const { number, answer, receipts } = block;
  const height = `0x${number.toString(16)}`;
  const isOurs = ([which]: readonly unknown[]) => which === height || which === answer.hash || which === "latest";
  const results: Readonly<Record<string, (params: readonly unknown[]) => unknown>> = {
    eth_chainId: () => `0x${Number(chain.slice("eip155:".length)).toString(16)}`,
    eth_blockNumber: () => height,
    eth_getBlockByNumber: (params) => (isOurs(params) ? answer : null),
    eth_getBlockByHash: (params) => (isOurs(params) ? answer : null),
    eth_getBlockReceipts: (params) => (isOurs(params) ? receipts : null),
  };

  function answerOne({
    id,
    method,
    params = [],
  }: {
    id: unknown;
    method: string;
    params?: readonly unknown[];
  }): object {
    const result = results[method];
    if (result === undefined)
      return { jsonrpc: "2.0", id, error: { code: METHOD_MISSING, message: "the method is not recorded" } };
    return { jsonrpc: "2.0", id, result: result(params) };
  }

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const asked = JSON.parse(Buffer.concat(chunks).toString("utf8")) as Parameters<typeof answerOne>[0];
    const told = Array.isArray(asked) ? asked.map((one) => answerOne(one as typeof asked)) : answerOne(asked);
    response.setHeader("content-type", "application/json").end(JSON.stringify(told));
  }

  const server = createServer((request, response) => {
    serve(request, response).catch(() => response.destroy());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
