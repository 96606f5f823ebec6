/**
 * A door in front of a node: any path leads in, so that a URL can hold a key; it can be closed (nobody listens) and
 * pointed to another node, while the node and its chain stay as they are.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";

export interface NodeDoor {
  readonly url: string;
  open(): Promise<void>;
  close(): Promise<void>;
  pointTo(url: string): void;
}

export async function openDoor({ port, to }: { port: number; to: string }): Promise<NodeDoor> {
  let target = to;
  let server: Server | null = null;

  async function forward(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    const answer = await fetch(target, { method: "POST", headers: { "content-type": "application/json" }, body });
    outgoing.writeHead(answer.status, { "content-type": "application/json" }).end(await answer.text());
  }

  const door: NodeDoor = {
    url: `http://127.0.0.1:${port}`,
    async open() {
      if (server !== null) return;
      const opened = createServer((incoming, outgoing) => {
        forward(incoming, outgoing).catch(() => outgoing.destroy());
      });
      server = opened;
      await new Promise<void>((resolve, reject) => {
        opened.once("error", reject).listen(port, "127.0.0.1", resolve);
      });
    },
    async close() {
      const closing = server;
      server = null;
      closing?.closeAllConnections();
      await new Promise<void>((resolve) => (closing === null ? resolve() : closing.close(() => resolve())));
    },
    pointTo(url) {
      target = url;
    },
  };
  await door.open();
  return door;
}
