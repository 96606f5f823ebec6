/** The floor of any client on undici: bodies copied into a buffer that is used again for the next block. */
import { Pool, type Dispatcher } from "undici";

export interface Download {
  /** Posts and resolves to the answer's bytes, which live until the slot is used again. */
  post(slot: number, body: string): Promise<Buffer>;
  close(): Promise<void>;
}

const FIRST_BUFFER_BYTES = 4 * 1024 * 1024;
const HEADERS = { "content-type": "application/json" };

export function createDownload(url: string): Download {
  const pool = new Pool(url, { connections: 16, pipelining: 1 });
  const buffers: Buffer[] = [];

  function post(slot: number, body: string): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      let buffer = buffers[slot] ?? Buffer.allocUnsafe(FIRST_BUFFER_BYTES);
      let length = 0;
      const handler: Dispatcher.DispatchHandler = {
        onRequestStart() {},
        onResponseStart(_controller, status) {
          if (status !== 200) throw new Error(`HTTP ${status}`);
        },
        onResponseData(_controller, chunk) {
          if (length + chunk.length > buffer.length) {
            const larger = Buffer.allocUnsafe(2 * (length + chunk.length));
            buffer.copy(larger, 0, 0, length);
            buffer = larger;
          }
          chunk.copy(buffer, length);
          length += chunk.length;
        },
        onResponseEnd() {
          buffers[slot] = buffer;
          resolve(buffer.subarray(0, length));
        },
        onResponseError(_controller, error) {
          reject(error);
        },
      };
      pool.dispatch({ path: "/", method: "POST", headers: HEADERS, body }, handler);
    });
  }

  return { post, close: () => pool.destroy() };
}

export function rpcBody(method: string, params: readonly unknown[]): string {
  return JSON.stringify({ jsonrpc: "2.0", id: 1, method, params });
}

/** The two bodies every reader of a block needs at least. */
export async function postBlock(
  download: Download,
  { hash, lane }: { hash: string; lane: number },
): Promise<[block: Buffer, receipts: Buffer]> {
  return Promise.all([
    download.post(2 * lane, rpcBody("eth_getBlockByHash", [hash, true])),
    download.post(2 * lane + 1, rpcBody("eth_getBlockReceipts", [hash])),
  ]);
}
