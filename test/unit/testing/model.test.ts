import fc from "fast-check";
import { test } from "vitest";
import { storeSuite } from "../../../src/testing/index.js";
import { modelFactory } from "./model/factory.js";

// The suite holds for the core on the plainest driver there is.
const concurrently = test.concurrent;
storeSuite({ test, concurrently, factory: modelFactory(), fc });
storeSuite({ test, concurrently, factory: modelFactory(), fc, namespaced: true });
