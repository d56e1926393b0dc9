/** What has gone through a proxy. Counted when it reaches the proxy, be it passed on or not. */
export interface TrafficCount {
  /** Bytes. */
  toServer: number;
  /** Bytes. */
  toClient: number;
  /** How often a server answered after its client had sent something: works for any protocol, TLS too. */
  roundTrips: number;
  /** Requests of the protocol the proxy was told to count; 0 without one. */
  requests: number;
  /** Complete replies of that protocol. */
  replies: number;
}

/** Reads both directions of one connection. */
export interface ProtocolCounter {
  toServer(chunk: Buffer): void;
  toClient(chunk: Buffer): void;
}

/** Makes the counter of a new connection; it adds to `requests` and `replies` of the count. */
export type CounterFactory = (count: TrafficCount) => ProtocolCounter;
