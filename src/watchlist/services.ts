/** The shipped list of services: exchanges, bridges, mixers, routers. Where a trail ends, and whom nobody should watch whole. */
import { z } from "zod";
import type { Address, ChainId } from "../types/chain.ts";
import type { FileProblem } from "../types/watchlist-format.ts";
import { canonicalAddress, type NormalizeAddress, notAnAddress } from "./addresses.ts";
import {
  addressField,
  chainField,
  check,
  choiceField,
  mapping,
  optional,
  refField,
  slugField,
  textField,
  versionField,
} from "./fields.ts";
import { findFiles, readText } from "./files.ts";
import { readYaml, YAML_BYTES_MAX } from "./located-yaml.ts";
import { createProblems, type Problems, showFound } from "./problems.ts";

export const SERVICE_CATEGORIES = [
  "aggregator",
  "bridge",
  "dex",
  "exchange",
  "exchange_deposit",
  "mixer",
  "swap_service",
] as const;
export const SERVICE_CONFIDENCES = [
  "protocol_published",
  "exchange_published",
  "government_list",
  "integrator_config",
  "researcher",
  "compiled_list",
  "block_explorer_label",
] as const;

const fileSchema = mapping({
  format: z.literal("heistwatch-services/1", { error: "heistwatch-services/1" }),
  version: versionField,
  category: choiceField(SERVICE_CATEGORIES),
  sources: z.record(slugField, refField, { error: "a mapping of short keys to references" }),
  services: z.array(z.unknown(), { error: "a list of services" }),
});

const serviceSchema = mapping({
  chain: chainField,
  address: addressField,
  entity: textField(100),
  label: textField(200),
  confidence: choiceField(SERVICE_CONFIDENCES),
  /** Other names public lists give the same address: claimed by two, or renamed. */
  conflicting: optional(z.array(textField(100), { error: "a list of entities" })),
  note: optional(textField(300)),
  sources: z.array(slugField, { error: "a list of source keys" }).min(1, { error: "at least one source key" }),
});

export interface Service {
  readonly chain: ChainId;
  readonly address: Address;
  readonly entity: string;
  readonly category: (typeof SERVICE_CATEGORIES)[number];
  readonly label: string;
  readonly confidence: (typeof SERVICE_CONFIDENCES)[number];
  readonly conflicting: readonly string[];
  readonly sources: readonly string[];
}

export interface ServiceList {
  serviceOf(chain: ChainId, address: Address): Service | null;
  readonly count: number;
}

export interface ServiceOptions {
  readonly paths: readonly string[];
  readonly normalizeAddress: NormalizeAddress;
}

export async function loadServices(
  options: ServiceOptions,
): Promise<{ services: ServiceList; problems: readonly FileProblem[] }> {
  const { files, problems: missing } = await findFiles({ paths: options.paths, extensions: [".yaml"] });
  const problems: FileProblem[] = [...missing];
  const byKey = new Map<string, Service>();
  for (const file of files) {
    const read = await readText(file, YAML_BYTES_MAX);
    if ("problem" in read) {
      problems.push(read.problem);
      continue;
    }
    const ofFile = createProblems(file);
    for (const service of parseServices(read.text, options.normalizeAddress, ofFile))
      byKey.set(keyOf(service.chain, service.address), service);
    problems.push(...ofFile.list());
  }
  return { services: createServiceList(byKey), problems };
}

function createServiceList(byKey: ReadonlyMap<string, Service>): ServiceList {
  return { serviceOf: (chain, address) => byKey.get(keyOf(chain, address)) ?? null, count: byKey.size };
}

function keyOf(chain: ChainId, address: Address): string {
  return `${chain}/${address}`;
}

function* parseServices(text: string, normalize: NormalizeAddress, problems: Problems): Generator<Service> {
  const yaml = readYaml(text, problems);
  const file = yaml && check(fileSchema, { value: yaml.value, path: [], lineOf: yaml.lineOf }, problems);
  if (yaml === null || file === null) return;
  for (const [index, value] of file.services.entries()) {
    const path = ["services", index];
    const row = check(serviceSchema, { value, path, lineOf: yaml.lineOf }, problems);
    if (row === null) continue;
    const canonical = canonicalAddress(normalize, row.chain, row.address);
    if (canonical === null) {
      const line = yaml.lineOf(path);
      problems.add({
        line,
        field: `services[${index}].address`,
        found: showFound(row.address),
        allowed: notAnAddress(row.chain),
      });
      continue;
    }
    const { chain, entity, label, confidence } = row;
    const sources = row.sources.map((key) => file.sources[key] ?? key);
    yield {
      chain,
      address: canonical.address,
      entity,
      category: file.category,
      label,
      confidence,
      conflicting: row.conflicting ?? [],
      sources,
    };
  }
}
