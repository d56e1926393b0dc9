import { suiteOn } from "./etcd2-suite.js";

// The same API on the last server that most clusters ran it on, started with `--enable-v2`.
suiteOn("3.4", "etcd2 on 3.4", { report: false });
