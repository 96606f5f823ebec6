import { once } from "node:events";
import { WebSocket } from "ws";
import { type ReplayNode, startReplayNode } from "../../bench/replay/replay-node.ts";
import { findFaults } from "../../bench/replay/verify.ts";
import type { RpcBlock, RpcLog, RpcReceipt } from "../../bench/replay/rpc-shapes.ts";

const BLOCKS = 6;
let node: ReplayNode;

beforeAll(async () => {
  node = await startReplayNode({ chain: { blocks: BLOCKS, seed: 7 } });
});
afterAll(() => node.stop());

const blockAt = (place: number) => {
  const block = node.chain.blocks[place];
  if (block === undefined) throw new Error(`no block at ${place}`);
  return block;
};
const hex = (number: number) => `0x${number.toString(16)}`;

test("a block and its receipts, by number and by hash, are the generated ones", async () => {
  const { number, hash } = blockAt(2);
  const block = (await node.rpc("eth_getBlockByNumber", [hex(number), true])) as RpcBlock;
  const receipts = (await node.rpc("eth_getBlockReceipts", [hash])) as RpcReceipt[];
  expect(block.hash).toBe(hash);
  expect(findFaults(block, receipts)).toEqual([]);
  expect(await node.rpc("eth_getBlockByHash", [hash, true])).toEqual(block);
  expect(await node.rpc("eth_getBlockReceipts", [hex(number)])).toEqual(receipts);
  const light = await node.rpc("eth_getBlockByHash", [hash, false]);
  expect(light).toEqual({ ...block, transactions: block.transactions.map((transaction) => transaction.hash) });
});

test("tags follow the head, and a block above it is not known yet", async () => {
  const numberOf = async (tag: string) =>
    Number(((await node.rpc("eth_getBlockByNumber", [tag, false])) as RpcBlock).number);
  await node.setHead(blockAt(3).number);
  expect(Number(await node.rpc("eth_blockNumber"))).toBe(blockAt(3).number);
  expect(await numberOf("latest")).toBe(blockAt(3).number);
  expect(await numberOf("finalized")).toBe(blockAt(0).number);
  expect(await node.rpc("eth_getBlockByNumber", [hex(blockAt(4).number), true])).toBeNull();
  expect(await node.rpc("eth_getBlockReceipts", [blockAt(4).hash])).toBeNull();
  await node.setHead(blockAt(BLOCKS - 1).number);
  expect(await numberOf("latest")).toBe(blockAt(BLOCKS - 1).number);
});

test("logs are those of the receipts, filtered as asked", async () => {
  const [from, to] = [blockAt(0), blockAt(BLOCKS - 1)].map(({ number }) => hex(number));
  const receipts = await Promise.all(
    node.chain.blocks.map(async ({ hash }) => (await node.rpc("eth_getBlockReceipts", [hash])) as RpcReceipt[]),
  );
  const all = receipts.flat().flatMap((receipt) => receipt.logs);
  const ask = async (filter: object) => (await node.rpc("eth_getLogs", [filter])) as RpcLog[];
  expect(await ask({ fromBlock: from, toBlock: to })).toEqual(all);

  const sample = all.find((log) => log.topics.length === 3) ?? all[0];
  const [topic0, topic1, topic2] = sample?.topics ?? [];
  const filters: readonly [object, (log: RpcLog) => boolean][] = [
    [{ address: sample?.address }, (log) => log.address === sample?.address],
    [{ address: [sample?.address.toUpperCase().replace("0X", "0x")] }, (log) => log.address === sample?.address],
    [{ topics: [topic0] }, (log) => log.topics[0] === topic0],
    [
      { topics: [[topic0, topic1], null, [topic2]] },
      (log) => [topic0, topic1].includes(log.topics[0]) && log.topics[2] === topic2,
    ],
    [{ topics: [null, null, null, null] }, (log) => log.topics.length === 4],
  ];
  for (const [filter, wanted] of filters) {
    expect(await ask({ fromBlock: from, toBlock: to, ...filter })).toEqual(all.filter(wanted));
  }
  expect(await ask({ blockHash: blockAt(1).hash })).toEqual(receipts[1]?.flatMap((receipt) => receipt.logs));
});

test("a batch is answered in order; what is unknown or broken is an error answer", async () => {
  const post = async (body: string) =>
    (await (await fetch(node.httpUrl, { method: "POST", body })).json()) as { id: number; error?: { code: number } }[];
  const batch = [
    { id: 7, method: "eth_chainId" },
    { id: 8, method: "eth_call" },
    { id: 9, method: "eth_blockNumber" },
  ];
  const answers = await post(JSON.stringify(batch.map((call) => ({ jsonrpc: "2.0", params: [], ...call }))));
  expect(answers.map(({ id }) => id)).toEqual([7, 8, 9]);
  expect(answers.map(({ error }) => error?.code)).toEqual([undefined, -32_601, undefined]);
  expect(await post("{")).toMatchObject({ id: null, error: { code: -32_700 } });
  await expect(node.rpc("eth_getBlockByNumber", ["newest", true])).rejects.toThrow("tag");
});

test("newHeads tells every block once, in order, at the tick", async () => {
  await node.setHead(blockAt(0).number);
  const socket = new WebSocket(node.wsUrl);
  await once(socket, "open");
  const heads: number[] = [];
  const ended = new Promise<void>((resolve) => {
    socket.on("message", (data: Buffer) => {
      const message = JSON.parse(data.toString()) as { params?: { result: { number: string } }; result?: string };
      if (message.params === undefined) return;
      heads.push(Number(message.params.result.number));
      if (heads.length === BLOCKS - 1) resolve();
    });
  });
  socket.send(JSON.stringify({ jsonrpc: "2.0", id: 1, method: "eth_subscribe", params: ["newHeads"] }));
  await once(socket, "message");
  await node.startTicks(5);
  await ended;
  expect(heads).toEqual(node.chain.blocks.slice(1).map(({ number }) => number));
  const told = (await node.told()).slice(-heads.length);
  expect(told.map(({ number }) => number)).toEqual(heads);
  socket.close();
  await once(socket, "close");
});

test("the recorded real blocks are served too", async () => {
  const real = await startReplayNode({ chain: "recorded" });
  try {
    const block = (await real.rpc("eth_getBlockByNumber", [hex(18_000_000), true])) as RpcBlock;
    const receipts = (await real.rpc("eth_getBlockReceipts", [block.hash])) as RpcReceipt[];
    expect(findFaults(block, receipts)).toEqual([]);
    expect(await real.rpc("eth_getBlockByNumber", [hex(18_000_001), true])).toBeNull();
  } finally {
    await real.stop();
  }
});
