import type { EtcdCallOptions, EtcdChannel } from "./channel.js";
import type {
  CompactionResponse,
  DeleteRangeRequest,
  DeleteRangeResponse,
  PutRequest,
  PutResponse,
  RangeRequest,
  RangeResponse,
  TxnOutcome,
  TxnRequest,
  TxnResponse,
} from "./generated/kv.js";
import { deleteRangeRequest, putRequest, rangeRequest } from "./messages.js";
import * as methods from "./methods.js";

/** Fields that may be left out; the key may not. */
export type WithKey<T extends { key: Uint8Array }> = Pick<T, "key"> & Partial<T>;

/** Key-value calls, each one round trip. All reject with an `EtcdError`. */
export class EtcdKv {
  readonly #channel: EtcdChannel;

  constructor(channel: EtcdChannel) {
    this.#channel = channel;
  }

  /**
   * Reads a key or a range. With `serializable` any member may answer, one cut off from its cluster included; otherwise
   * the answer is linearizable.
   */
  range(request: WithKey<RangeRequest>, options?: EtcdCallOptions): Promise<RangeResponse> {
    const requireLeader = request.serializable !== true;
    return this.#channel.unary(methods.range, rangeRequest(request), { ...options, requireLeader });
  }

  put(request: WithKey<PutRequest>, options?: EtcdCallOptions): Promise<PutResponse> {
    return this.#channel.unary(methods.put, putRequest(request), options);
  }

  deleteRange(request: WithKey<DeleteRangeRequest>, options?: EtcdCallOptions): Promise<DeleteRangeResponse> {
    return this.#channel.unary(methods.deleteRange, deleteRangeRequest(request), options);
  }

  /**
   * Runs a transaction. One with nothing but ranges may be declared `readOnly`, and is then repeated like a read; with
   * `serializable`, for ranges that all are, a member cut off from its cluster may answer.
   */
  txn(
    request: TxnRequest,
    options?: EtcdCallOptions & { readOnly?: boolean | undefined; serializable?: boolean | undefined },
  ): Promise<TxnResponse> {
    const requireLeader = options?.serializable !== true;
    const method = options?.readOnly === true ? methods.readOnlyTxn : methods.txn;
    return this.#channel.unary(method, request, { ...options, requireLeader });
  }

  /** Runs a transaction of writes of which only the revision is to be known, and whether the comparisons held. */
  txnOutcome(request: TxnRequest, options?: EtcdCallOptions): Promise<TxnOutcome> {
    return this.#channel.unary(methods.txnOutcome, request, options);
  }

  /** Forgets what lies before `revision`. */
  compact(revision: bigint, options?: EtcdCallOptions & { physical?: boolean }): Promise<CompactionResponse> {
    return this.#channel.unary(methods.compact, { revision, physical: options?.physical ?? false }, options);
  }
}
