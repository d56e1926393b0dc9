import { readFile } from "node:fs/promises";
import { invalid } from "./arguments.js";

/** A store's certificates, each as it is or as a file to read. */
export interface TlsFiles {
  readonly ca?: unknown;
  readonly caFile?: string | undefined;
  readonly cert?: unknown;
  readonly certFile?: string | undefined;
  readonly key?: unknown;
  readonly keyFile?: string | undefined;
}

/** The certificates, the files that are named read. Throws `INVALID_ARGUMENT`, naming the option and `store`. */
export async function readTlsFiles<Tls extends TlsFiles>(
  tls: Tls,
  store: string,
): Promise<{ ca: Tls["ca"] | Buffer; cert: Tls["cert"] | Buffer; key: Tls["key"] | Buffer }> {
  const given = async <Bytes>(bytes: Bytes, name: string, file: string | undefined): Promise<Bytes | Buffer> => {
    if (bytes !== undefined || file === undefined) return bytes;
    try {
      return await readFile(file);
    } catch (error) {
      throw invalid(`the ${name} of the ${store} store cannot be read: ${(error as Error).message}`);
    }
  };
  const [ca, cert, key] = await Promise.all([
    given(tls.ca as Tls["ca"], "caFile", tls.caFile),
    given(tls.cert as Tls["cert"], "certFile", tls.certFile),
    given(tls.key as Tls["key"], "keyFile", tls.keyFile),
  ]);
  return { ca, cert, key };
}
