import type { EtcdCallOptions, EtcdChannel } from "./channel.js";
import { Permission_Type } from "./generated/auth.js";
import type { AlarmRequest, AlarmResponse, Member, StatusResponse } from "./generated/maintenance.js";
import * as methods from "./methods.js";

/** Calls about the cluster rather than its keys. All reject with an `EtcdError`. */
export class EtcdMaintenance {
  readonly #channel: EtcdChannel;

  constructor(channel: EtcdChannel) {
    this.#channel = channel;
  }

  /** State of the member that answers, leader or not. Needs no permission. */
  status(options?: EtcdCallOptions): Promise<StatusResponse> {
    return this.#channel.unary(methods.status, {}, { ...options, requireLeader: false });
  }

  async members(options?: EtcdCallOptions): Promise<Member[]> {
    return (await this.#channel.unary(methods.memberList, { linearizable: true }, options)).members;
  }

  alarm(request: AlarmRequest, options?: EtcdCallOptions): Promise<AlarmResponse> {
    return this.#channel.unary(methods.alarm, request, options);
  }

  /** Hands leadership to another member. Only the leader takes this call. */
  async moveLeader(targetId: bigint, options?: EtcdCallOptions): Promise<void> {
    await this.#channel.unary(methods.moveLeader, { targetID: targetId }, options);
  }
}

/** Users and roles: what is needed to switch a cluster's authentication on. All reject with an `EtcdError`. */
export class EtcdAuthAdmin {
  readonly #channel: EtcdChannel;

  constructor(channel: EtcdChannel) {
    this.#channel = channel;
  }

  async enable(options?: EtcdCallOptions): Promise<void> {
    await this.#channel.unary(methods.authEnable, {}, options);
  }

  async disable(options?: EtcdCallOptions): Promise<void> {
    await this.#channel.unary(methods.authDisable, {}, options);
  }

  async addUser(name: string, password: string, options?: EtcdCallOptions): Promise<void> {
    await this.#channel.unary(methods.userAdd, { name, password }, options);
  }

  async addRole(name: string, options?: EtcdCallOptions): Promise<void> {
    await this.#channel.unary(methods.roleAdd, { name }, options);
  }

  async grantRole(user: string, role: string, options?: EtcdCallOptions): Promise<void> {
    await this.#channel.unary(methods.userGrantRole, { user, role }, options);
  }

  /** Lets a role read, write, or both, in [key, rangeEnd); on one key when `rangeEnd` is empty. */
  async grantPermission(
    role: string,
    permission: { type: keyof typeof Permission_Type; key: Uint8Array; rangeEnd?: Uint8Array | undefined },
    options?: EtcdCallOptions,
  ): Promise<void> {
    const perm = {
      permType: Permission_Type[permission.type],
      key: permission.key,
      rangeEnd: permission.rangeEnd ?? new Uint8Array(0),
    };
    await this.#channel.unary(methods.roleGrantPermission, { name: role, perm }, options);
  }
}
