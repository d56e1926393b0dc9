import { suiteOn } from "./etcd2-suite.js";

suiteOn("3.3", "etcd2", { report: true });
