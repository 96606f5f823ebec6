/** The tables of own addresses that people gave, as Kysely sees them. */

/** One row. */
export interface OwnStateTable {
  one: number;
  revision: number;
  mark: string;
  addresses: number;
}

export interface OwnAddressTable {
  chain: string;
  address: string;
  customer_ref: string | null;
  wallet: string;
}

/** Never changed, never deleted. */
export interface OwnChangeTable {
  revision: number;
  chain: string;
  address: string;
  /** JSON of the address as it was; null: it was not known. */
  before: string | null;
  after: string | null;
}

/** The most addresses of a source on a day, counted in days since 1970. */
export interface OwnCountTable {
  source: string;
  day: number;
  highest: number;
}

export interface OwnTables {
  own_state: OwnStateTable;
  own_address: OwnAddressTable;
  own_change: OwnChangeTable;
  own_count: OwnCountTable;
}
