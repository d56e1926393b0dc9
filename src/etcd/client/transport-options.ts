import type { ChannelOptions } from "@grpc/grpc-js";
import type { Endpoint } from "./endpoint.js";
import type { ChannelSettings } from "./options.js";
import { greetingOptions } from "./tls.js";

/** How grpc-js is set up for etcd, each setting with its reason. */
export function transportOptions(endpoint: Endpoint, { keepalive, tls }: ChannelSettings): ChannelOptions {
  return {
    ...greetingOptions(endpoint, tls),
    // A call is sent once; see Connection.
    "grpc.enable_retries": 0,
    // Bookkeeping for a debug service that nothing here serves.
    "grpc.enable_channelz": 0,
    // Connections belong to one client: shared ones would outlive its close() and mix up who lost what.
    "grpc.use_local_subchannel_pool": 1,
    // A proxy for web traffic, named by the environment, is no way to a cluster.
    "grpc.enable_http_proxy": 0,
    // DNS TXT records that could bring a retry policy.
    "grpc.service_config_disable_resolution": 1,
    // Each connection is a new channel, so this only keeps a lookup that fails from being repeated at once.
    "grpc.dns_min_time_between_resolutions_ms": 1_000,
    // Idle means loss here; the connection stays.
    "grpc.client_idle_timeout_ms": 2 ** 31 - 1,
    // The server bounds what it takes (1.5 MiB by default) and what it sends (2 GiB); the default here is 4 MiB.
    "grpc.max_send_message_length": -1,
    "grpc.max_receive_message_length": -1,
    // The default of 64 KiB makes a large range wait for a window update every 64 KiB.
    "grpc-node.flow_control_window": 4 * 1024 * 1024,
    "grpc.keepalive_time_ms": keepalive?.intervalMs ?? 10_000,
    "grpc.keepalive_timeout_ms": keepalive?.timeoutMs ?? 5_000,
  };
}
