/** `heistwatch screen`: what the pipelines ask over HTTP, by hand; and what was answered to whom. */
import type { AnswerItem, ScreenAnswer } from "../daemon/screen-answer.ts";
import type { KeptPage } from "../daemon/screen-calls.ts";
import { AppError } from "../lib/errors.ts";
import type { KeptHead } from "../store/screen-answers.ts";
import type { Config } from "../types/config.ts";
import type { ScreenDirection, ScreenVerdict } from "../types/screening.ts";
import { EXIT, readConfig } from "./context.ts";
import { paint, print, printJson, table, timeOf } from "./output.ts";
import { askWatch, type PersonOptions } from "./watch-ask.ts";

export interface ScreenOptions extends PersonOptions {
  readonly tx?: readonly string[];
  readonly block?: number;
  readonly direction: ScreenDirection;
  readonly usd?: string;
}

export async function screen(chain: string, addresses: readonly string[], options: ScreenOptions): Promise<number> {
  const { tx = [], block, direction, usd } = options;
  if (addresses.length + tx.length === 0) throw new AppError("name addresses, or transactions with --tx");
  const config = readConfig(options);
  const on = chainId(config, chain);
  const cents = usd === undefined ? {} : { usdCents: centsOf(usd) };
  const items = [
    ...addresses.map((address) => ({ chain: on, address, direction, ...cents })),
    ...tx.map((transaction) => ({ chain: on, transaction, ...(block === undefined ? {} : { block }) })),
  ];
  const answer = await askWatch<ScreenAnswer>(config, { name: "screen.ask", args: { items }, options });
  if (options.json === true) printJson(answer);
  else tell(answer);
  return EXIT.ok;
}

/** A name of the configuration, or any CAIP-2 id: lists name chains that are not followed. */
function chainId({ chains }: Config, name: string): string {
  const known = chains.find((one) => one.name === name)?.id;
  if (known === undefined && !name.includes(":"))
    throw new AppError(`no chain ${name} in the configuration: name one of it, or a CAIP-2 id such as eip155:1`);
  return known ?? name;
}

function centsOf(usd: string): string {
  const [, whole = "", cents = ""] = /^(\d{1,15})(?:\.(\d{1,2}))?$/.exec(usd) ?? [];
  if (whole === "") throw new AppError(`expected an amount such as 1200 or 1200.50, found ${JSON.stringify(usd)}`);
  return String(BigInt(whole) * 100n + BigInt(cents.padEnd(2, "0")));
}

const STYLES = { hold: ["bold", "red"], review: "yellow", unknown: "cyan", clear: "green" } as const;

function paintVerdict(verdict: ScreenVerdict): string {
  return paint(STYLES[verdict] as Parameters<typeof paint>[0], verdict);
}

function tell(answer: ScreenAnswer): void {
  for (const item of answer.items) tellItem(item);
  for (const { chain, covered, headNumber } of answer.chains)
    print(`${chain}: scanned up to ${covered?.to ?? "nothing"}, the chain is at ${headNumber ?? "an unknown block"}`);
  print(`lists ${answer.lists.version}${answer.lists.fresh ? "" : ", not fresh"}; kept as ${answer.answerId}`);
}

function tellItem({ verdict, severity, address, transaction, reasons, exposure }: AnswerItem): void {
  print(`${paintVerdict(verdict)}  ${address ?? transaction ?? ""}${severity === null ? "" : `  ${severity}`}`);
  for (const { code, text } of reasons) print(`  ${code}: ${text}`);
  for (const { alertId, severity: how, stage } of exposure.alerts)
    print(`  alert ${alertId}  ${how ?? "not told yet"}  ${stage ?? ""}`);
}

export interface ListAnswersOptions extends PersonOptions {
  readonly limit: number;
  readonly after?: string;
  readonly chain?: string;
  readonly about?: string;
  readonly by?: string;
  readonly verdict?: string;
  readonly since?: string;
  readonly until?: string;
}

export async function listAnswers(options: ListAnswersOptions): Promise<number> {
  const { config: _config, json, as: _as, chain, ...rest } = options;
  const config = readConfig(options);
  const args = { ...rest, ...(chain === undefined ? {} : { chain: chainId(config, chain) }) };
  const { answers, next } = await askWatch<KeptPage>(config, { name: "screen.list", args, options });
  if (json === true) printJson(answers);
  else
    print(
      answers.length === 0
        ? "No answers."
        : table(
            ["time", "by", "verdict", "items", "lists", "answer"],
            answers.map((one) => [
              timeOf(one.at),
              one.actor,
              paintVerdict(one.verdict),
              String(one.items),
              one.listVersion,
              one.answerId,
            ]),
          ),
    );
  if (next !== null) process.stderr.write(`There may be more: --after ${next}\n`);
  return EXIT.ok;
}

export async function showAnswer(answerId: string, options: PersonOptions): Promise<number> {
  const kept = await askWatch<KeptHead & { answer: ScreenAnswer }>(readConfig(options), {
    name: "screen.show",
    args: { answerId },
    options,
  });
  if (options.json === true) printJson(kept);
  else {
    print(`asked by ${kept.actor} (${kept.role}) at ${timeOf(kept.at)}`);
    tell(kept.answer);
  }
  return EXIT.ok;
}
