/** Named people: one role each, and a token whose hash alone is stored. */
import { createHash, timingSafeEqual } from "node:crypto";
import type { PersonRole } from "../types/watch-change.ts";
import type { Db } from "./database.ts";

export interface Person {
  readonly name: string;
  readonly role: PersonRole;
  readonly createdBy: string;
  /** Unix ms. */
  readonly createdAt: number;
  readonly expiresAt: number;
  readonly revokedAt: number | null;
}

export interface People {
  /** A person of that name gets this role and token instead of what they had. */
  put(of: {
    name: string;
    role: PersonRole;
    tokenId: string;
    token: string;
    by: string;
    now: number;
    expiresAt: number;
  }): Promise<void>;
  /** False: nobody of that name has a token. */
  revoke(name: string, now: number): Promise<boolean>;
  list(): Promise<Person[]>;
  /** Null: no valid token. */
  ofToken(of: { tokenId: string; token: string; now: number }): Promise<Person | null>;
}

export function createPeople(db: Db): People {
  const columns = ["name", "role", "created_by", "created_at", "expires_at", "revoked_at"] as const;
  const people = () => db.selectFrom("watch_person");
  return {
    async put({ name, role, tokenId, token, by, now, expiresAt }) {
      const row = {
        role,
        token_id: tokenId,
        token_hash: hashOf(token),
        created_by: by,
        created_at: now,
        expires_at: expiresAt,
        revoked_at: null,
      };
      await db
        .insertInto("watch_person")
        .values({ name, ...row })
        .onConflict((conflict) => conflict.column("name").doUpdateSet(row))
        .execute();
    },

    async revoke(name, now) {
      const { numUpdatedRows } = await db
        .updateTable("watch_person")
        .set({ revoked_at: now })
        .where("name", "=", name)
        .where("revoked_at", "is", null)
        .executeTakeFirst();
      return numUpdatedRows === 1n;
    },

    async list() {
      return (await people().select(columns).orderBy("name").execute()).map(personOf);
    },

    async ofToken({ tokenId, token, now }) {
      const row = await people()
        .select([...columns, "token_hash"])
        .where("token_id", "=", tokenId)
        .executeTakeFirst();
      // Compared also when nobody is found: how long it takes says nothing.
      const isTheirs = timingSafeEqual(Buffer.from(hashOf(token)), Buffer.from(row?.token_hash ?? hashOf("")));
      if (row === undefined || !isTheirs || row.revoked_at !== null || row.expires_at <= now) return null;
      return personOf(row);
    },
  };
}

/** 32 random bytes need no slow hash. */
function hashOf(token: string): string {
  return createHash("sha256").update(token).digest("hex");
}

function personOf(row: {
  name: string;
  role: string;
  created_by: string;
  created_at: number;
  expires_at: number;
  revoked_at: number | null;
}): Person {
  return {
    name: row.name,
    role: row.role as PersonRole,
    createdBy: row.created_by,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    revokedAt: row.revoked_at,
  };
}
