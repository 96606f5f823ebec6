/**
 * A bundle as one HTML page that prints well: no script, no link, nothing from elsewhere. The bundle itself is inside, so
 * that the page can be checked: the same bundle always gives the same page.
 */
import { createHash } from "node:crypto";
import type { BundleParts, BundleTransfer } from "./bundle.ts";
import { escaped, html, Markup, type Part } from "./markup.ts";
import type { Findings } from "./verify-bundle.ts";

const STYLE = `
body{font:14px/1.45 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#111}
h1{font-size:1.5rem}h2{font-size:1.1rem;border-bottom:1px solid #999;margin-top:2rem}
table{border-collapse:collapse;width:100%}
th,td{text-align:left;vertical-align:top;padding:.2rem .5rem .2rem 0;border-bottom:1px solid #ddd;overflow-wrap:anywhere}
th{font-weight:600;white-space:nowrap}
code,pre{font:12px/1.4 ui-monospace,monospace;overflow-wrap:anywhere;white-space:pre-wrap}
.proven li::marker{content:"✓ "}.trusted li::marker{content:"? "}
@page{margin:18mm}
@media print{body{margin:0;max-width:none;font-size:11px}h2,tr{break-inside:avoid;break-after:auto}details{display:none}}
`;
const STYLE_HASH = createHash("sha256").update(STYLE).digest("base64");
const POLICY = `default-src 'none'; style-src 'sha256-${STYLE_HASH}'; base-uri 'none'; form-action 'none'`;

export const PAGE_START = "<!doctype html>";
export const START_OF_BUNDLE = '<pre id="bundle">';
export const END_OF_BUNDLE = "</pre>";

/** `text`: the bundle's file, which `findings` are of, checked without key or block hash: a page does not know its reader. */
export function renderPage(findings: Findings, text: string): string {
  const { bundle } = findings;
  const { manifest, parts, signature } = bundle;
  const { alert } = parts;
  const page = html`<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${new Markup(POLICY)}">
<title>Evidence ${alert.alertId}</title><style>${new Markup(STYLE)}</style></head><body>
<h1>Evidence of alert ${alert.alertId}</h1>
<p>In the signer's words: ${alert.summary}</p>
${facts([
  ["Chain", `${alert.chain.name} (${alert.chain.id})`],
  ["Transaction", code(alert.transaction)],
  ["Block", parts.block === null ? "none" : html`${parts.block.number}, ${code(parts.block.hash)}`],
  ["Stage", `${alert.stage}, revision ${alert.revision}`],
  ["Severity, advice", `${alert.severity}, ${alert.action}`],
  ["Made", `${manifest.madeAt} by ${manifest.madeBy}`],
  ["Signed by", html`${code(signature.publicKey)} (key id ${signature.keyId})`],
  ["SHA-256 of the bundle", code(createHash("sha256").update(text).digest("hex"))],
])}
<h2>Proven by the bundle alone</h2>
${sentences("proven", findings.proven.length === 0 ? ["Nothing of the chain."] : findings.proven)}
<h2>Only as true as whoever says it</h2>
${sentences("trusted", findings.trusted)}
<h2>Transfers</h2>
${parts.transfers.map(transferTable)}
<h2>Who named the block</h2>
${facts([
  ["Operators", `${parts.trust.operators.join(", ") || "none"} (${parts.trust.configured} configured)`],
  ["Did not answer", parts.trust.missing.join(", ") || "none"],
  ["Named another one", parts.trust.disputing.join(", ") || "none"],
])}
<h2>What was sent</h2>
${deliveriesTable(parts)}
<h2>What people did</h2>
${historyTable(parts)}
<h2>Parts of the bundle (SHA-256 of each)</h2>
${facts(Object.entries(manifest.parts).map(([name, { bytes, sha256 }]) => [`${name}, ${bytes} bytes`, code(sha256)]))}
<p>Check it: <code>heistwatch evidence verify FILE --key ${signature.publicKey}</code>, with the key that the house names elsewhere.</p>
<details><summary>The bundle</summary>`;
  return `${PAGE_START}${page.text}${START_OF_BUNDLE}${escaped(text)}${END_OF_BUNDLE}</details></body></html>\n`;
}

function sentences(name: string, lines: readonly string[]): Markup {
  return html`<ul class="${name}">${lines.map((line) => html`<li>${line}</li>`)}</ul>`;
}

function facts(rows: readonly (readonly [string, Part])[]): Markup {
  return html`<table>${rows.map(([name, value]) => html`<tr><th>${name}</th><td>${value}</td></tr>`)}</table>`;
}

const code = (text: string): Markup => html`<code>${text}</code>`;

function transferTable({
  key,
  category,
  from,
  to,
  amount,
  asset,
  status,
  own,
  value,
  matches,
}: BundleTransfer): Markup {
  return html`<h3>${key}, ${category}</h3>
${facts([
  ["From", from === null ? "the transaction's inputs" : code(from)],
  ["To", to === null ? "the transaction's outputs" : code(to)],
  [
    "Amount",
    `${amount} base units of ${asset.symbol ?? "an unlisted asset"} (${asset.decimals ?? "unknown"} decimals)`,
  ],
  ["Asset", code(asset.id)],
  ["Value", valueText(value)],
  ["Stands", status],
  [
    "Own address",
    own === null
      ? "none"
      : html`${own.side}: ${code(own.address)}, ${own.wallet}, customer ${own.customerRef ?? "not named"}`,
  ],
  ...matches.map((match): readonly [string, Part] => ["Listed", matchText(match)]),
])}`;
}

function valueText(value: BundleTransfer["value"]): string {
  if (value === null) return "not looked up";
  if (value.usdCents === null) return `unknown: ${value.why ?? ""}`;
  const digits = value.usdCents.padStart(3, "0");
  const price = `${value.usdPerUnit ?? "?"} USD each by ${value.source ?? "?"}, ${value.updatedAt ?? "no time"}`;
  return `${digits.slice(0, -2)}.${digits.slice(-2)} USD (${price})`;
}

function matchText({ side, basis, incident, entry }: BundleTransfer["matches"][number]): Markup {
  const what = `${side}: ${entry.label}, ${entry.role}, ${incident?.name ?? entry.incident}`;
  const by = `${entry.basis}, ${entry.independentSources} independent sources, match: ${basis}`;
  return html`${what}<br>list ${entry.list}, version ${entry.version}, entry ${entry.id}<br>${by}${entry.sources.map(
    ({ ref, label }) => html`<br>source: ${label === null ? ref : `${label}: ${ref}`}`,
  )}`;
}

function deliveriesTable({ deliveries }: BundleParts): Markup {
  const rows = deliveries.map(
    ({ revision, sink, state, webhookId, createdAt, attempts }) =>
      html`<tr><td>${revision}</td><td>${sink}</td><td>${state}</td><td>${createdAt}</td><td>${attempts.map(
        ({ at, result, status, error }) => html`${at} ${result} ${status} ${error}<br>`,
      )}</td><td>${code(webhookId)}</td></tr>`,
  );
  return html`<table><tr><th>Revision</th><th>Sink</th><th>State</th><th>Made</th><th>Attempts</th><th>webhook-id</th></tr>${rows}</table>`;
}

function historyTable({ triage: { case: now, history } }: BundleParts): Markup {
  const rows = history.map(
    ({ at, actor, action, after, why }) =>
      html`<tr><td>${at}</td><td>${actor}</td><td>${action}</td><td>${after?.state ?? null}</td><td>${why}</td></tr>`,
  );
  const state = now === null ? "There is no case." : `The case is ${now.state}, ${now.assignee ?? "nobody"}'s.`;
  return html`<p>${state}</p><table><tr><th>Time</th><th>By</th><th>Act</th><th>State</th><th>Note</th></tr>${rows}</table>`;
}
