import { Option } from "commander";
import type { Instance } from "../../../recipes/discovery.js";
import { hostAndPort } from "../../../recipes/host-and-port.js";
import type { InvalidValueError } from "../../../recipes/invalid-value-error.js";
import type { Context } from "../../context.js";
import { escapeLine } from "../../terminal.js";

export const directoryOption = (): Option =>
  new Option("--directory <directory>", "where services are kept").default("services");

/** An instance as fields that tabs part: the id, where it is, and its meta as `name=value`. */
export function instanceFields({ output }: Context, instance: Instance): string[] {
  const meta = Object.entries(instance.meta).map(([name, value]) => output.escape(escapeLine(`${name}=${value}`)));
  return [output.escape(instance.id), output.escape(escapeLine(hostAndPort(instance))), ...meta];
}

/** Says which entries are left out since they are no instances. */
export function reportInvalid({ notices }: Context): (error: InvalidValueError) => void {
  return ({ key, issues }) => {
    const reasons = issues.map(({ message, path = [] }) => [...path.map(String), message].join(": "));
    notices.say(`kvasir: ${JSON.stringify(key)} is no instance and left out: ${reasons.join("; ")}`);
  };
}
