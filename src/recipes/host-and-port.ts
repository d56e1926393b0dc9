import { isIP } from "node:net";

/** `address:port`, an IPv6 address in brackets. */
export function hostAndPort({ address, port }: { readonly address: string; readonly port: number }): string {
  return isIP(address) === 6 ? `[${address}]:${port}` : `${address}:${port}`;
}
