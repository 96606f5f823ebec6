/** Every watchlist file format. A new one is one file and one line here. */
import type { WatchlistFormat } from "../../types/watchlist-format.ts";
import { nativeYaml } from "./native-yaml.ts";

export const WATCHLIST_FORMATS: readonly WatchlistFormat[] = [nativeYaml];

export function formatFor(file: string): WatchlistFormat | null {
  const name = file.toLowerCase();
  return WATCHLIST_FORMATS.find((format) => format.extensions.some((extension) => name.endsWith(extension))) ?? null;
}
