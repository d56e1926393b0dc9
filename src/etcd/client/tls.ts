import { Buffer } from "node:buffer";
import net from "node:net";
import tls from "node:tls";
import { type ChannelCredentials, type ChannelOptions, credentials } from "@grpc/grpc-js";
import type { Endpoint } from "./endpoint.js";
import type { EtcdTlsOptions } from "./options.js";

/** Credentials for an endpoint: plain text, or TLS with the certificates given. */
export function credentialsFor(endpoint: Endpoint, options: EtcdTlsOptions = {}): ChannelCredentials {
  if (!endpoint.tls) return credentials.createInsecure();
  const name = options.serverName ?? endpoint.host;
  return credentials.createSsl(pem(options.ca), pem(options.key), pem(options.cert), {
    checkServerIdentity: (_, certificate) => tls.checkServerIdentity(name, certificate),
  });
}

/**
 * The name that TLS sends in its greeting, when it is not the endpoint's host. An address may not be sent there (RFC
 * 6066, section 3; Node prints a warning), and grpc-js always sends something. Which name the certificate must have is
 * decided above, whatever is sent.
 */
export function greetingOptions(endpoint: Endpoint, options: EtcdTlsOptions = {}): ChannelOptions {
  if (!endpoint.tls) return {};
  const { serverName } = options;
  if (serverName !== undefined) {
    return { "grpc.ssl_target_name_override": serverName, "grpc.default_authority": serverName };
  }
  return net.isIP(endpoint.host) === 0 ? {} : { "grpc.ssl_target_name_override": "localhost" };
}

function pem(contents: string | Uint8Array | undefined): Buffer | null {
  return contents === undefined ? null : Buffer.from(contents);
}
