/** A port of 127.0.0.1 that nobody listens on. */
import { createServer } from "node:net";

// Below the range the system gives to outgoing connections (32768 and up on Linux): a server that is down for a moment
// must find its port free again, and a client must not be connected to itself.
const PORT_MIN = 20_000;
const PORT_MAX = 32_000;
const TRIES = 50;

export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < TRIES; attempt += 1) {
    const port = PORT_MIN + Math.floor(Math.random() * (PORT_MAX - PORT_MIN));
    if (await isFree(port)) return port;
  }
  throw new Error(`no free port found between ${PORT_MIN} and ${PORT_MAX} in ${TRIES} tries`);
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}
