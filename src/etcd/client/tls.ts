import { Buffer } from "node:buffer";
import { type ChannelCredentials, type ChannelOptions, credentials } from "@grpc/grpc-js";
import type { Endpoint } from "./endpoint.js";
import type { EtcdTlsOptions } from "./options.js";

/** Credentials for an endpoint: plain text, or TLS with the certificates given. */
export function credentialsFor(endpoint: Endpoint, tls: EtcdTlsOptions = {}): ChannelCredentials {
  if (!endpoint.tls) return credentials.createInsecure();
  return credentials.createSsl(pem(tls.ca), pem(tls.key), pem(tls.cert));
}

/** Channel options that make the server's certificate be checked for another name than the endpoint's host. */
export function serverNameOptions(tls: EtcdTlsOptions | undefined): ChannelOptions {
  if (tls?.serverName === undefined) return {};
  return { "grpc.ssl_target_name_override": tls.serverName, "grpc.default_authority": tls.serverName };
}

function pem(contents: string | Uint8Array | undefined): Buffer | null {
  return contents === undefined ? null : Buffer.from(contents);
}
