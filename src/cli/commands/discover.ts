import { configureGroup } from "../command-group.js";
import { type Configure, examples } from "../define.js";
import { configureList } from "./discover/list.js";
import { configureRegister } from "./discover/register.js";
import { configureWatch } from "./discover/watch.js";

export const configure: Configure = (command, bind) => {
  configureGroup(
    command,
    bind,
    `
An instance is a key, services/SERVICE/ID, whose value is JSON: {"address":"10.0.0.7","port":8080,"meta":{"zone":"a"}}. It
has a ttl, and is renewed while whoever registered it lives.
${examples([
  ["kvasir discover register web --address 10.0.0.7 --port 8080", "keep an instance there until Ctrl-C"],
  ["kvasir discover list web", "who serves it now"],
  ["kvasir discover watch web", "who joins and leaves"],
])}`,
    [
      ["register", "keep an instance of a service registered", configureRegister],
      ["list", "print the instances of a service, or of all", configureList],
      ["watch", "print who joins and leaves a service", configureWatch],
    ],
  );
};
