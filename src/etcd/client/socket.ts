import net from "node:net";
import tls from "node:tls";
import type { Endpoint } from "./endpoint.js";
import type { EtcdTlsOptions } from "./options.js";

/** How long one of several addresses of a host may take before the next is tried, in milliseconds; Node's 250 are few. */
const addressTimeoutMs = 1_000;

/**
 * Dials an endpoint, its host name looked up anew, and all its addresses tried. With TLS, HTTP/2 is what is asked for,
 * and the certificate is checked for `serverName` where one is given.
 */
export function openSocket(endpoint: Endpoint, options: EtcdTlsOptions = {}): net.Socket {
  const { host, port } = endpoint;
  const address = {
    host,
    port,
    autoSelectFamily: true,
    autoSelectFamilyAttemptTimeout: addressTimeoutMs,
  };
  if (!endpoint.tls) return net.connect(address);
  const { ca, cert, key, serverName } = options;
  const name = serverName ?? host;
  return tls.connect({
    ...address,
    ALPNProtocols: ["h2"],
    ...pem({ ca, cert, key }),
    // An address may not be sent in the greeting (RFC 6066, section 3).
    ...(net.isIP(name) === 0 ? { servername: name } : {}),
    checkServerIdentity: (_, certificate) => tls.checkServerIdentity(name, certificate),
  });
}

function pem(contents: Pick<EtcdTlsOptions, "ca" | "cert" | "key">): Record<string, Buffer> {
  const given = Object.entries(contents).filter((entry) => entry[1] !== undefined);
  return Object.fromEntries(given.map(([name, text]) => [name, Buffer.from(text as string | Uint8Array)]));
}
