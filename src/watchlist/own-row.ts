/** One own address as a file or a source says it, and what is allowed in it. */
import type { OwnAddress } from "../types/watch.ts";
import { addressField, chainField, choiceField, mapping, optional, textField } from "./fields.ts";
import { WALLETS } from "./own-records.ts";

export const OWN_COLUMNS = ["chain", "address", "customerRef", "wallet"] as const;

export const ownRowSchema = mapping({
  chain: chainField,
  address: addressField,
  customerRef: optional(textField(200)),
  wallet: choiceField(WALLETS),
});

export interface OwnRow extends OwnAddress {
  readonly line: number;
}
