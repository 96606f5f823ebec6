/** `heistwatch own add|remove|accept|list|show`: own addresses that people give, beside those of files and the database. */
import { normalizeAddress } from "../chains/registry.ts";
import type { OwnPage, ShownOwn } from "../daemon/own-calls.ts";
import type { OwnOutcome } from "../daemon/own-desk.ts";
import { AppError, ConfigError } from "../lib/errors.ts";
import type { OwnAddress } from "../types/watch.ts";
import { loadOwn } from "../watchlist/own.ts";
import { describeProblem } from "../watchlist/problems.ts";
import { chainNamed, EXIT, readConfig } from "./context.ts";
import { print, printJson, table } from "./output.ts";
import { askWatch, type PersonOptions } from "./watch-ask.ts";

export interface OwnBatchOptions extends PersonOptions {
  readonly chain?: string;
  readonly file?: string;
}

export interface AddOwnOptions extends OwnBatchOptions {
  readonly customer?: string;
  readonly wallet: OwnAddress["wallet"];
  readonly replace?: boolean;
  readonly why?: string;
}

export interface RemoveOwnOptions extends OwnBatchOptions {
  readonly acceptLoss?: boolean;
  readonly why: string;
}

// As many as one call takes: each is taken whole or not at all.
const BATCH = 10_000;

export async function addOwn(address: string | undefined, options: AddOwnOptions): Promise<number> {
  const { wallet, customer = null, replace = false, why } = options;
  const rows = await rowsOf(address, options, (place) => ({ ...place, customerRef: customer, wallet }));
  return send({ name: "own.add", rows, args: { replace, why } }, options);
}

export async function removeOwn(address: string | undefined, options: RemoveOwnOptions): Promise<number> {
  const rows = await rowsOf(address, options, (place) => place);
  const places = rows.map(({ chain, address: one }) => ({ chain, address: one }));
  return send(
    { name: "own.remove", rows: places, args: { acceptLoss: options.acceptLoss === true, why: options.why } },
    options,
  );
}

export async function acceptOwn(options: PersonOptions & { readonly why: string }): Promise<number> {
  const done = await askWatch(readConfig(options), { name: "own.accept", args: { why: options.why }, options });
  if (options.json === true) printJson(done);
  else print("The next reading of the database of own addresses is taken as it is: within a minute, or at the start.");
  return EXIT.ok;
}

export async function listOwn(
  options: PersonOptions & { readonly customer?: string; readonly limit: number; readonly after?: string },
): Promise<number> {
  const { customer, limit, after } = options;
  const args = { customer, limit, after };
  const page = await askWatch<OwnPage>(readConfig(options), { name: "own.list", args, options });
  if (options.json === true) printJson(page);
  else if (page.addresses.length === 0) print("Nobody gave such own addresses.");
  else {
    print(
      table(
        ["chain", "wallet", "address", "customer"],
        page.addresses.map((own) => [own.chain, own.wallet, own.address, own.customerRef ?? ""]),
      ),
    );
    print(`\n${page.count} own addresses were given in all.`);
    if (page.next !== null) print(`More: --after ${page.next}`);
  }
  return EXIT.ok;
}

export async function showOwn(address: string, options: PersonOptions): Promise<number> {
  const shown = await askWatch<ShownOwn[]>(readConfig(options), { name: "own.show", args: { address }, options });
  if (options.json === true) printJson(shown);
  else if (shown.length === 0) print(`${address} is none of your own addresses.`);
  else
    print(
      table(
        ["chain", "wallet", "customer", "from"],
        shown.map((own) => [
          own.chain,
          own.wallet,
          own.customerRef ?? "",
          own.from === "given" ? "people" : "a file or the database",
        ]),
      ),
    );
  return EXIT.ok;
}

async function rowsOf<T extends { chain: string; address: string }>(
  address: string | undefined,
  { chain, file, ...options }: OwnBatchOptions,
  rowOf: (place: { chain: string; address: string }) => T,
): Promise<(T | OwnAddress)[]> {
  if ((address === undefined) === (file === undefined)) throw new AppError("give one address, or --file");
  if (address !== undefined) {
    if (chain === undefined) throw new AppError("say with --chain on which chain it is yours");
    return [rowOf({ chain: chain.includes(":") ? chain : chainNamed(readConfig(options), chain).id, address })];
  }
  const { own, problems } = await loadOwn({ paths: [file as string], normalizeAddress });
  if (problems.length > 0)
    throw new ConfigError(
      ["Nothing of it was taken:", ...problems.map((one) => `  ${describeProblem(one)}`)].join("\n"),
    );
  return [...own.all()];
}

async function send(
  { name, rows, args }: { name: string; rows: readonly object[]; args: object },
  options: PersonOptions,
): Promise<number> {
  const config = readConfig(options);
  const total = { added: 0, replaced: 0, removed: 0, unchanged: 0, addresses: 0 };
  for (let from = 0; from < rows.length; from += BATCH) {
    const batch = { ...args, addresses: rows.slice(from, from + BATCH) };
    const done = await askWatch<OwnOutcome>(config, { name, args: batch, options }).catch((error: unknown) => {
      if (from === 0 || !(error instanceof AppError)) throw error;
      throw new AppError(`${from} rows were taken, then one was not: put it right and give the same file again`, {
        cause: error,
      });
    });
    for (const count of ["added", "replaced", "removed", "unchanged"] as const) total[count] += done[count];
    total.addresses = done.addresses;
  }
  if (options.json === true) printJson(total);
  else {
    print(
      `${total.added} added, ${total.replaced} replaced, ${total.removed} removed, ${total.unchanged} as they were.`,
    );
    print(`${total.addresses} own addresses were given in all. A running heistwatch matches with them within 15 s.`);
  }
  return EXIT.ok;
}
