/** The node answers, but not with blocks: what it is busy with, and what a person can do about it. */
import { AppError } from "../../lib/errors.ts";

/**
 * `starting`: it loads or verifies its index. `busy`: its work queue is full. `refused`: credentials or permissions.
 * `syncing`: initial block download. `stuck`: it knows headers of blocks that it does not get.
 * `pruned`: the block asked for is deleted there. `noIndex`: who owned the inputs cannot be looked up there.
 */
export type NodeState = "starting" | "busy" | "refused" | "syncing" | "stuck" | "pruned" | "noIndex";

/** Waited out like a node that is away: the chain is told as not watched, with this text. */
export class NodeStateError extends AppError {
  override readonly code = "node_state";
  override readonly retryable = true;
  readonly state: NodeState;

  constructor(state: NodeState, message: string, details: Readonly<Record<string, unknown>> = {}) {
    super(message, { details: { ...details, state } });
    this.state = state;
  }
}
