/** `heistwatch evidence verify` as a stranger runs it: a process in an empty folder that can reach no network. */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";

const MAIN = join(import.meta.dirname, "../../src/cli/main.ts");
/** Loaded before anything else: whatever connects or looks a name up ends the process with a code of its own. */
const NO_NETWORK = `
import net from "node:net"; import dns from "node:dns"; import { syncBuiltinESMExports } from "node:module";
const refuse = () => { process.stderr.write("the network was used"); process.exit(99); };
net.Socket.prototype.connect = refuse; dns.lookup = refuse; dns.promises.lookup = refuse; globalThis.fetch = refuse;
syncBuiltinESMExports();`;

export interface Verified {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export async function verifyOffline(
  file: string,
  { cwd, args = [] }: { cwd: string; args?: readonly string[] },
): Promise<Verified> {
  return offline([MAIN, "evidence", "verify", file, ...args], cwd);
}

/** Any script without a network. */
export async function offline(args: readonly string[], cwd: string): Promise<Verified> {
  const preload = `data:text/javascript,${encodeURIComponent(NO_NETWORK)}`;
  // Nothing of the environment: no token, no variable of a configuration.
  const options = { cwd, env: {}, timeout: 60_000 };
  try {
    const { stdout, stderr } = await promisify(execFile)(process.execPath, ["--import", preload, ...args], options);
    return { code: 0, stdout, stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { code, stdout, stderr };
  }
}
