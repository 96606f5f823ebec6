/** `heistwatch evidence export|verify|keygen`. */
import { readFile, stat, writeFile } from "node:fs/promises";
import { evidenceReaderOf } from "../chains/registry.ts";
import type { MadeEvidence } from "../daemon/evidence-calls.ts";
import { newEvidenceKey, parseEvidenceKey, parsePublicKey } from "../evidence/keys.ts";
import { renderPage } from "../evidence/page.ts";
import { bundleIn, isPage } from "../evidence/read-page.ts";
import { BUNDLE_BYTES_MAX } from "../evidence/read-bundle.ts";
import { type Findings, type Verdict, verifyBundle } from "../evidence/verify-bundle.ts";
import { AppError, describeError } from "../lib/errors.ts";
import { printable } from "../lib/outside-text.ts";
import { EXIT, type GlobalOptions, readConfig } from "./context.ts";
import { paint, print, printJson } from "./output.ts";
import { askWatch, type PersonOptions } from "./watch-ask.ts";

export interface ExportEvidenceOptions extends PersonOptions {
  readonly format: "json" | "html";
  readonly out?: string;
}

/** Writes the file, or prints it; what it proves goes to standard error. */
export async function exportEvidence(alertId: string, options: ExportEvidenceOptions): Promise<number> {
  const { format } = options;
  const call = { name: "alerts.evidence", args: { alertId, format }, options };
  const { text } = await askWatch<MadeEvidence>(readConfig(options), call);
  const verdict = verifyFile(Buffer.from(text), { readerOf: evidenceReaderOf });
  if (!verdict.ok) throw new AppError(`the daemon gave a file that does not verify: ${verdict.reason}`);
  if (options.out === undefined) process.stdout.write(text);
  else await writeNew(options.out, text);
  process.stderr.write(`${describeFindings(verdict.findings)}\n`);
  return EXIT.ok;
}

/** For its maker's eyes first: it names a customer. Never over another file, which may be filed evidence. */
async function writeNew(file: string, text: string): Promise<void> {
  try {
    await writeFile(file, text, { flag: "wx", mode: 0o600 });
  } catch (error) {
    throw new AppError(`${file} cannot be written: ${describeError(error)}`, { cause: error });
  }
}

export interface VerifyEvidenceOptions {
  readonly key?: string;
  readonly blockHash?: string;
  readonly json?: boolean;
}

/** No network, no database, no configuration. Exit code 1 where it does not hold. */
export async function verifyEvidence(file: string, { key, blockHash, json }: VerifyEvidenceOptions): Promise<number> {
  if (key !== undefined && parsePublicKey(key) === null)
    throw new AppError("--key takes a public key: hwpk_ and the base64 of 32 bytes");
  const verdict = verifyFile(await readSmall(file), { readerOf: evidenceReaderOf, key, blockHash });
  if (json === true) printJson(jsonOf(verdict));
  else if (verdict.ok) print(describeFindings(verdict.findings));
  if (!verdict.ok && json !== true) process.stderr.write(`heistwatch: ${printable(verdict.reason)}\n`);
  return verdict.ok ? EXIT.ok : EXIT.fix;
}

/** A page holds its bundle, and must say what the bundle says. */
function verifyFile(bytes: Uint8Array, options: Parameters<typeof verifyBundle>[1]): Verdict {
  if (!isPage(bytes)) return verifyBundle(bytes, options);
  const text = bundleIn(bytes);
  if (text === null) return { ok: false, reason: "this page holds no bundle" };
  const verdict = verifyBundle(Buffer.from(text), options);
  const unasked = verifyBundle(Buffer.from(text), { readerOf: options.readerOf });
  if (!verdict.ok || !unasked.ok) return verdict;
  if (Buffer.compare(Buffer.from(renderPage(unasked.findings, text)), bytes) === 0) return verdict;
  const { madeBy } = verdict.findings.bundle.manifest;
  return {
    ok: false,
    reason: `the bundle inside this page holds, but the page is not the one that this heistwatch makes of it: it was changed, or made by another version (${madeBy})`,
  };
}

async function readSmall(file: string): Promise<Uint8Array> {
  try {
    // A page holds its bundle escaped, and says it once more.
    const { size } = await stat(file);
    if (size > 8 * BUNDLE_BYTES_MAX) throw new AppError("it is larger than any bundle");
    return await readFile(file);
  } catch (error) {
    throw new AppError(`${file} cannot be read: ${describeError(error)}`, { cause: error });
  }
}

function jsonOf(verdict: Verdict): object {
  if (!verdict.ok) return verdict;
  const { bundle, proven, trusted, isPinned, isBlockPinned } = verdict.findings;
  const { keyId, publicKey } = bundle.signature;
  return {
    ok: true,
    manifest: bundle.manifest,
    signedBy: { keyId, publicKey, isPinned },
    isBlockPinned,
    proven,
    trusted,
  };
}

export function describeFindings({ bundle, proven, trusted, isPinned }: Findings): string {
  const { manifest, signature, parts } = bundle;
  const list = (lines: readonly string[]) => lines.map((line) => `  - ${printable(line)}`);
  const signer = isPinned
    ? `Signed by the key you gave: ${signature.publicKey} (${signature.keyId}).`
    : `Signed by an unknown key: ${signature.publicKey} (${signature.keyId}). Anybody can make one: compare it with the one the house names, or give that: --key hwpk_...`;
  return [
    paint("bold", `Alert ${printable(manifest.alertId)}, made ${manifest.madeAt} by ${printable(manifest.madeBy)}`),
    `In the signer's words: ${printable(parts.alert.summary)}`,
    "",
    signer,
    "",
    paint("bold", "Proven by this file alone:"),
    ...list(proven.length === 0 ? ["Nothing of the chain."] : proven),
    "",
    paint("bold", "Only as true as whoever says it:"),
    ...list(trusted),
  ].join("\n");
}

/** Prints a new key and keeps nothing. */
export function makeEvidenceKey({ json }: Pick<GlobalOptions, "json">): Promise<number> {
  const privateKey = newEvidenceKey();
  const { publicKey, keyId } = parseEvidenceKey(privateKey);
  if (json === true) printJson({ privateKey, publicKey, keyId });
  else
    print(
      [
        "A private key for heistwatch, and the public one for everybody who is to check bundles:",
        `  ${privateKey}`,
        `  ${publicKey}   (key id ${keyId})`,
        "",
        "Put the hwsk_ into the environment or a file that only heistwatch can read, and name it in the configuration:",
        "evidence: { key: { env: EVIDENCE_KEY } }. Publish the hwpk_ where third parties find it without asking you.",
      ].join("\n"),
    );
  return Promise.resolve(EXIT.ok);
}
