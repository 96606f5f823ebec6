/** Every watchlist file format. A new one is one file and one line here. */
import type { ImportFormat, WatchlistFormat } from "../../types/watchlist-format.ts";
import { addressJson, addressText } from "./address-list.ts";
import { csv } from "./csv.ts";
import { ethLabels } from "./eth-labels.ts";
import { ftm } from "./ftm.ts";
import { misp } from "./misp.ts";
import { nativeLines } from "./native-lines.ts";
import { nativeYaml, nativeYamlImport } from "./native-yaml.ts";
import { ofacAdvanced } from "./ofac-advanced.ts";
import { ofacCsv } from "./ofac-csv.ts";
import { ofacLegacy } from "./ofac-legacy.ts";
import { stix } from "./stix.ts";
import { tagpack } from "./tagpack.ts";

/** What the daemon reads its own lists from. */
export const WATCHLIST_FORMATS: readonly WatchlistFormat[] = [nativeYaml];

/** What an investigator imports. */
export const IMPORT_FORMATS: readonly ImportFormat[] = [
  nativeYamlImport,
  nativeLines,
  csv,
  addressText,
  addressJson,
  ofacAdvanced,
  ofacLegacy,
  ofacCsv,
  tagpack,
  misp,
  stix,
  ftm,
  ethLabels,
];

export function formatFor(file: string): WatchlistFormat | null {
  const name = file.toLowerCase();
  return WATCHLIST_FORMATS.find((format) => format.extensions.some((extension) => name.endsWith(extension))) ?? null;
}

/** By the name `--format` takes. */
export function importFormatNamed(name: string): ImportFormat | null {
  return IMPORT_FORMATS.find((format) => format.name === name) ?? null;
}
