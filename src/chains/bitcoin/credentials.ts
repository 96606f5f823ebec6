/** What a request to the node says to be let in: user and password, or the cookie that the node writes at each start. */
import { readFileSync } from "node:fs";
import type { NodeConfig } from "../../types/config.ts";
import { NodeStateError } from "./node-state-error.ts";

export interface CredentialsOptions {
  readonly name: string;
  /** User and password in it count where none are given apart. */
  readonly url: string;
  readonly rpc: NodeConfig["rpc"];
}

export interface Credentials {
  /** The `authorization` header; null: none. Throws NodeStateError while the cookie file cannot be read. */
  header(): string | null;
  /** The node refused this header. True: there is another one to try. */
  renew(refused: string | null): boolean;
  /** A text without user, password, cookie and header, whichever of them it quotes. */
  hide(text: string): string;
}

// A node writes 75 bytes; a file that is longer is not a cookie, and its first line not for sending around.
const COOKIE_CHARS_MAX = 1_024;
// Shorter secrets are letters of everyday words: hiding those would only hide what an error says.
const HIDDEN_CHARS_MIN = 4;

export function createCredentials(options: CredentialsOptions): Credentials {
  const { name, rpc } = options;
  const url = new URL(options.url);
  const cookieFile = rpc && "cookieFile" in rpc ? rpc.cookieFile : null;
  const { user, password } =
    rpc && "user" in rpc ? rpc : { user: decodeURIComponent(url.username), password: decodeURIComponent(url.password) };
  const fixed = user === "" ? null : `${user}:${password}`;
  let cookie: string | null = null;
  /** Every secret that a node may have heard, for `hide`: also cookies of its former lives. */
  const heard = new Set<string>();

  function pair(): string | null {
    if (cookieFile === null) return fixed;
    cookie ??= readCookie(name, cookieFile);
    return cookie;
  }

  return {
    header() {
      const known = pair();
      if (known === null) return null;
      const encoded = Buffer.from(known, "utf8").toString("base64");
      const at = known.indexOf(":");
      for (const part of [known, encoded, known.slice(0, at), known.slice(at + 1)]) heard.add(part);
      return `Basic ${encoded}`;
    },
    renew(refused) {
      if (cookieFile === null) return false;
      // Of two requests that were refused the first reads the file, and the second finds it read.
      if (this.header() === refused) cookie = readCookie(name, cookieFile);
      return this.header() !== refused;
    },
    hide: (text) =>
      [...heard, url.username, url.password]
        .filter((part) => part.length >= HIDDEN_CHARS_MIN)
        .toSorted((a, b) => b.length - a.length)
        .reduce((hidden, part) => hidden.replaceAll(part, "…"), text),
  };
}

function readCookie(name: string, path: string): string {
  let text: string;
  try {
    text = readFileSync(path, "utf8").trim();
  } catch (error) {
    const why = (error as { code?: unknown }).code;
    throw new NodeStateError(
      "refused",
      `the cookie file of node ${name} cannot be read (${String(why)}): ${path}. The node writes it when it starts; heistwatch must be allowed to read it`,
    );
  }
  const looksLikeOne = text.length <= COOKIE_CHARS_MAX && /^[^:\s]+:\S+$/.test(text);
  if (looksLikeOne) return text;
  throw new NodeStateError("refused", `the cookie file of node ${name} holds no cookie: ${path}`);
}
