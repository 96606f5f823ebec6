/** `heistwatch sinks keygen`. */
import { newPrivateKey, newSecret, publicKeyOf } from "../deliver/signing.ts";
import { EXIT } from "./context.ts";
import { print, printJson } from "./output.ts";

/** Prints new keys and keeps nothing: the private ones go into the environment or a file, the rest to the receiver. */
export function makeKeys({ json }: { json?: boolean }): Promise<number> {
  const secret = newSecret();
  const privateKey = newPrivateKey();
  const keys = {
    v1: { secret },
    v1a: { privateKey, publicKey: publicKeyOf(privateKey) },
  };
  if (json === true) printJson(keys);
  else
    print(
      [
        "v1, one secret that both sides know:",
        `  ${secret}`,
        "v1a, a private key for heistwatch and a public one for the receiver:",
        `  ${privateKey}`,
        `  ${keys.v1a.publicKey}`,
        "",
        "Put the whsec_ and the whsk_ into the environment or a file that only heistwatch can read, and name them in the",
        "sink: secrets: [{ env: DESK_SECRET }, { env: DESK_KEY }]. Give the receiver the whsec_, or the whpk_, or both.",
      ].join("\n"),
    );
  return Promise.resolve(EXIT.ok);
}
