import { describe, expect, test } from "vitest";
import { redactCredentials } from "../../../src/cli/redact.js";

describe("credentials in URLs", () => {
  test.each([
    ["etcd://root:s3cret@host1:2379,host2/prefix", "etcd://***@host1:2379,host2/prefix"],
    ["cannot reach etcd://root:p@ss@host:1 (timeout)", "cannot reach etcd://***@host:1 (timeout)"],
    ["consul://host:8500/?token=abc-def&dc=dc1", "consul://host:8500/?token=***&dc=dc1"],
    ["zk://host/?sasl.password=x", "zk://host/?sasl.password=***"],
    ["etcd://h?TOKEN=x#frag", "etcd://h?TOKEN=***#frag"],
    ["bolt:./app.db?bucket=kvasir", "bolt:./app.db?bucket=kvasir"],
    ["mail me@example.org about a//b", "mail me@example.org about a//b"],
  ])("%s becomes %s", (text, shown) => {
    expect(redactCredentials(text)).toBe(shown);
  });
});
