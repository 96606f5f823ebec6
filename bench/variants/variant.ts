/** One way to read a block, measured in a process of its own. */

export interface VariantInput {
  readonly httpUrl: string;
  readonly wsUrl: string;
  /** Whom to watch: a file of `watchlist/entry-index-builder.ts`. */
  readonly watchedFile: string;
}

export interface BlockAsked {
  readonly number: number;
  readonly hash: string;
  /** Blocks under way at once have different lanes: a lane may reuse its buffers. */
  readonly lane: number;
}

export interface OpenVariant {
  /** Reads the block; resolves to the number of hits, 0 for variants that do not match. */
  read(block: BlockAsked): Promise<number>;
  /** Calls back for every new head, as this client learns of it. Left out: the variant has no live mode. */
  onHead?(tell: (number: number) => void, signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

export type OpenVariantWith = (input: VariantInput) => OpenVariant | Promise<OpenVariant>;
