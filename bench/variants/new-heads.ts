/** newHeads over a plain WebSocket. */
import { once } from "node:events";
import { WebSocket } from "ws";

export async function followNewHeads(url: string, tell: (number: number) => void, signal: AbortSignal): Promise<void> {
  const socket = new WebSocket(url);
  await once(socket, "open");
  socket.on("message", (data: Buffer) => {
    const { params } = JSON.parse(data.toString()) as { params?: { result: { number: string } } };
    if (params !== undefined) tell(Number(params.result.number));
  });
  const subscribed = once(socket, "message");
  socket.send(JSON.stringify({ jsonrpc: "2.0", id: 1, method: "eth_subscribe", params: ["newHeads"] }));
  await subscribed;
  signal.addEventListener("abort", () => socket.terminate(), { once: true });
}
