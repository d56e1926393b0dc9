import type { StandardSchema } from "../../../src/recipes/index.js";

/** A server's address and port; the port may be text on the way in. Written by hand, as a small validator would be. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

export const addressSchema: StandardSchema<{ host: string; port: number | string }, Address> = {
  "~standard": {
    version: 1,
    vendor: "by hand",
    validate: (value) => {
      const { host, port } = (value ?? {}) as { host?: unknown; port?: unknown };
      const issues = [];
      if (typeof host !== "string") issues.push({ message: `host is ${JSON.stringify(host)}`, path: ["host"] });
      if (!Number.isInteger(Number(port))) issues.push({ message: "port is no number", path: [{ key: "port" }] });
      return issues.length > 0 ? { issues } : { value: { host: host as string, port: Number(port) } };
    },
  },
};

/** The same, answering later, as validators that ask a database do. */
export const slowAddressSchema: StandardSchema<unknown, Address> = {
  "~standard": {
    version: 1,
    vendor: "by hand",
    validate: async (value) => {
      await new Promise((resolve) => setImmediate(resolve));
      return addressSchema["~standard"].validate(value);
    },
  },
};
