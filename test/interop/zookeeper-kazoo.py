"""Serves kazoo's calls to the interop tests: one JSON line for each on stdin, one with the answer on stdout.

Argument: the servers, as host:port,host:port. Bytes travel as hexadecimal strings.
"""

import json
import sys

from kazoo.client import KazooClient
from kazoo.exceptions import KazooException

client = KazooClient(hosts=sys.argv[1], timeout=4)
client.start()
locks = {}


def lock_of(call):
    """The lock of a call. The pattern lets kazoo see the contenders of Go's clients and of Kvasir too."""
    patterns = ("-lock-",) if call.get("others", True) else ()
    if call["path"] not in locks:
        locks[call["path"]] = client.Lock(call["path"], call.get("value", ""), extra_lock_patterns=patterns)
    return locks[call["path"]]


def run(call):
    name, path = call["call"], call["path"]
    if name == "get":
        data, stat = client.get(path)
        return {"value": data.hex(), "version": stat.version, "mzxid": str(stat.mzxid)}
    if name == "set":
        client.ensure_path(path)
        return {"version": client.set(path, bytes.fromhex(call["value"])).version}
    if name == "create":
        return {"path": client.create(path, bytes.fromhex(call["value"]), makepath=True)}
    if name == "children":
        return {"children": sorted(client.get_children(path))}
    if name == "delete":
        client.delete(path, recursive=call.get("recursive", False))
        return {}
    if name == "lock":
        return {"held": lock_of(call).acquire(blocking=call.get("wait", True))}
    if name == "unlock":
        lock_of(call).release()
        return {}
    if name == "contenders":
        return {"children": lock_of(call).contenders()}
    raise ValueError("unknown call " + name)


for line in sys.stdin:
    try:
        answer = run(json.loads(line))
    except (KazooException, ValueError) as error:
        answer = {"error": type(error).__name__}
    print(json.dumps(answer), flush=True)
client.stop()
