/** `heistwatch coverage`: which blocks were scanned, with which list, for whom. */
import { normalizeAddress } from "../chains/registry.ts";
import { AppError } from "../lib/errors.ts";
import type { CoverageReport } from "../store/coverage-report.ts";
import type { ChainConfig } from "../types/config.ts";
import { callOperator, chainNamed, EXIT, type GlobalOptions, readConfig } from "./context.ts";
import { print, printJson, table } from "./output.ts";

export async function showCoverage(
  options: GlobalOptions & { chain?: string; block?: number; address?: string },
): Promise<number> {
  const config = readConfig(options);
  const chains = options.chain === undefined ? config.chains : [chainNamed(config, options.chain)];
  const reports: CoverageReport[] = [];
  for (const chain of chains)
    reports.push(
      (await callOperator(config, "coverage.report", {
        chain: chain.id,
        block: options.block ?? null,
        address: options.address === undefined ? null : canonical(chain, options.address),
      })) as CoverageReport,
    );
  if (options.json === true) printJson(reports);
  else for (const report of reports) tell(report);
  return EXIT.ok;
}

function canonical(chain: ChainConfig, text: string): string {
  const address = normalizeAddress(chain.id, text);
  if (address === null || address === "noAdapter") throw new AppError(`${text} is not an address of ${chain.name}`);
  return address;
}

const VERDICT: Record<NonNullable<CoverageReport["scanned"]>, string> = {
  yes: "was scanned",
  filtered: "was scanned as far as our node's index names blocks",
  logs: "was looked at for events only: value without a log was not looked for",
  no: "was NOT scanned",
};

function tell({ chain, block, address, ranges, scanned, holes }: CoverageReport): void {
  const whom = address === null ? "" : ` for ${address}`;
  if (scanned !== null) print(`Block ${block} of ${chain} ${VERDICT[scanned]}${whom}.`);
  print(
    table(
      ["chain", "from", "to", "by", "reading", "traces", "proven", "operators", "list"],
      ranges.map((range) => [
        chain,
        String(range.from),
        String(range.to),
        range.scan,
        range.reading,
        range.traced ? "yes" : "no",
        range.proven ? "yes" : "no",
        range.operators.join(", "),
        range.listVersion,
      ]),
    ),
  );
  for (const { from, to } of holes) print(`Not scanned${whom}: ${from} to ${to}.`);
}
