/**
 * Who asks. A token makes its person. Without one it is the OS user: the control socket and the embedded store belong to
 * the user the daemon runs as and nobody else may open them, so whoever gets here without a token is that user (or root).
 * Nothing the caller claims about itself counts.
 */
import { randomBytes } from "node:crypto";
import { userInfo } from "node:os";
import { crc32 } from "node:zlib";
import { AppError } from "../lib/errors.ts";
import type { People, Person } from "../store/people.ts";
import type { Actor } from "../types/watch-change.ts";

export class NotAllowedError extends AppError {
  override readonly code = "not_allowed";
}

const TOKEN = /^heistwatch_([0-9a-f]{8})_[0-9a-f]{64}_([0-9a-f]{8})$/;

/** With a checksum, so that scanners for leaked secrets can tell one from noise. */
export function makeToken(): { tokenId: string; token: string } {
  const tokenId = randomBytes(4).toString("hex");
  const secret = `heistwatch_${tokenId}_${randomBytes(32).toString("hex")}`;
  return { tokenId, token: `${secret}_${checksumOf(secret)}` };
}

function checksumOf(text: string): string {
  return crc32(text).toString(16).padStart(8, "0");
}

/** Throws NotAllowedError for a token nobody has (any more). */
export async function personOf(people: People, token: string, now: number): Promise<Person> {
  const parts = TOKEN.exec(token);
  const isWhole = parts !== null && checksumOf(token.slice(0, -9)) === parts[2];
  const person = isWhole ? await people.ofToken({ tokenId: parts[1] ?? "", token, now }) : null;
  if (person === null) throw new NotAllowedError("this token is not valid (any more)");
  return person;
}

export async function actorOf(
  people: People,
  as: { readonly name?: string | undefined; readonly token: string } | undefined,
  now: number,
): Promise<Actor> {
  if (as === undefined) return localActor();
  const { name, role } = await personOf(people, as.token, now);
  if (as.name !== undefined && as.name !== name) throw new NotAllowedError(`this token is not ${as.name}'s`);
  return { name, role };
}

/** Who may read the data folder may do anything to it: the role says so. Approving one's own change is still refused. */
export function localActor(): Actor {
  return { name: userInfo().username, role: "admin" };
}
