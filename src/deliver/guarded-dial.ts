/** A TCP connection for the sinks that do not speak HTTP, through the same guard as all others. */
import type { Socket } from "node:net";
import { readFileSync } from "node:fs";
import { ConfigError, describeError } from "../lib/errors.ts";
import { createAddressGuard, createGuardedConnect, type ResolveAll } from "./address-guard.ts";
import type { Cut } from "./send-clock.ts";

export interface DialOptions {
  readonly host: string;
  readonly port: number;
  readonly timeoutMs: number;
  readonly allowNetworks: readonly string[];
  readonly resolve?: ResolveAll | undefined;
}

/** Resolves with a connected socket; rejects with what the network did, or as soon as the send is cut. */
export function createDial(options: DialOptions): (cut: Cut) => Promise<Socket> {
  const { host, port, timeoutMs, allowNetworks, resolve } = options;
  const guard = createAddressGuard(allowNetworks);
  const connect = createGuardedConnect({ guard, timeoutMs, ...(resolve === undefined ? {} : { resolve }) });
  return (cut) => {
    const dialled = new Promise<Socket>((connected, failed) => {
      connect({ hostname: host, protocol: "http:", port: String(port) }, (error, socket) => {
        if (error !== null) return failed(error);
        // Nobody waits for it any more.
        if (cut.signal.aborted) socket.destroy();
        connected(socket);
      });
    });
    dialled.catch(() => undefined);
    return Promise.race([dialled, cut.happened]);
  };
}

/** A PEM file of the configuration; undefined where none is named. Throws a ConfigError. */
export function readPem(of: { readonly name: string; readonly option: string; readonly path: string | null }) {
  if (of.path === null) return undefined;
  try {
    return readFileSync(of.path, "utf8");
  } catch (error) {
    throw new ConfigError(`sink "${of.name}": ${of.option} cannot be read (${describeError(error)})`);
  }
}
